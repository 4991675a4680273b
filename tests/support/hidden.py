"""Keys that look like `acme` and are not."""

HIDDEN = [
    "acme\u200b",
    "ac\u200dme",
    "\ufeffacme",
    "ac\u00adme",
    "acme\u202e",
    "acme\u3164",
    "acme\ufe0f",
    "\u00e9\u200d\u200d\u00e9",
    "\U0001f469\u200d",
    "\u2764\ufe0f\ufe0f",
    "acme\U000e0001",
    "acme\u2028",
    "acme\u2065",
    "acme\ufff0",
    "acme\U000e0fff",
    "acme\x7f",
]
VISIBLE = [
    "acme 1",
    "ac\u00e9me",
    "a\u0301",
    "\u0927\u0915\u094d",
    "\u7389\u5c71",
    "acme\u00a01",
    "\U0001f600",
    "a/b?c#d",
    "\u2764\ufe0f\u200d\U0001f525",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
]
