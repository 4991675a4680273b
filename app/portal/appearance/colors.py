"""Colors that people can read, whatever the company's own color is."""

LIGHT, DARK = "#f4f6f8", "#171d25"  # the grounds of pages in portal.css that make colors hardest to read
TINTED = {LIGHT: "#eaf2fb", DARK: "#16273a"}  # the same of alerts: their links and buttons take the focus
TEXT_CONTRAST = 4.5  # https://www.w3.org/TR/WCAG22/#contrast-minimum
LINE_CONTRAST = 3.0  # https://www.w3.org/TR/WCAG22/#non-text-contrast
HOVER_SHARE = 0.15


def variables(accent: str, ground: str) -> str:
    """Return the CSS variables for an accent on a ground.

    Buttons have the accent as it is, and dark or light text on it, whichever is easier to read. Links, lines
    and the focus get the accent too, moved just as far from the ground as they need.
    """
    text = readable_text(accent)
    strong = mix(accent, "#000000" if text == "#ffffff" else "#ffffff", HOVER_SHARE)
    values = {
        "accent": accent,
        "accent-strong": strong,
        "on-accent": text,
        "accent-text": readable_on(accent, ground, TEXT_CONTRAST),
        "accent-line": readable_on(accent, ground, LINE_CONTRAST),
        "focus": readable_on(accent, TINTED[ground], LINE_CONTRAST),
    }
    return ";".join(f"--{name}:{value}" for name, value in values.items())


def readable_text(color: str) -> str:
    """Return black or white, whichever has more contrast on a color. One of them always has enough."""
    return max(("#ffffff", "#000000"), key=lambda text: contrast(text, color))


def readable_on(color: str, ground: str, needed: float) -> str:
    """Return the color, moved just as far away from the ground as the contrast needs."""
    ink = "#000000" if _luminance(ground) > 0.5 else "#ffffff"
    shades = (mix(color, ink, step / 20) for step in range(21))
    return next(shade for shade in shades if contrast(shade, ground) >= needed)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, 1 to 21. Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """Return a color between two: `share` says how much of the other."""
    pairs = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _luminance(color: str) -> float:
    parts = [value / 255 for value in bytes.fromhex(color[1:])]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
