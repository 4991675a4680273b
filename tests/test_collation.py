"""Names stand in the order in which readers of a language look for them."""

from app.core.reference import countries
from app.core.reference.collation import sort_key
from tests.support.cases import for_each


@for_each(
    ("locale", "names"),
    [
        ("en", ["Afghanistan", "Åland", "albania", "Zambia"]),
        ("de", ["Afghanistan", "Ägypten", "Albanien"]),
        ("es", ["Na", "Nz", "Ña", "Oa"]),
        ("fr", ["Écosse", "Ecuador", "Égypte"]),
        ("pl", ["Luksemburg", "Łotwa", "Macedonia"]),
        ("pl", ["Zimbabwe", "Zy", "Źle", "Żar"]),
        ("ja", ["アイスランド", "ガーナ", "カタール", "日本", "北朝鮮"]),
        ("ar", ["إثيوبيا", "أذربيجان", "مصر", "هولندا"]),
    ],
)
def test_follows_the_alphabet_of_the_reader(locale: str, names: list[str]) -> None:
    found = sorted(set(names), key=lambda name: sort_key(name, locale))

    assert found == names


def test_a_letter_of_one_language_has_an_accent_in_another() -> None:
    names = ["Łotwa", "Lz", "Ña", "Nz"]

    assert sorted(names, key=lambda name: sort_key(name, "es")) == ["Lz", "Nz", "Ña", "Łotwa"]


def test_the_list_of_countries_has_it() -> None:
    names = [name for _, name in countries.choices("pl")]

    assert names.index("Luksemburg") < names.index("Łotwa") < names.index("Macedonia Północna")
