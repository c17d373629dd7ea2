import pytest

from fast_zero.core.languages import preferred


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("pt-BR", "pt-BR"),
        ("PT", "pt-BR"),
        ("pt-PT, en", "pt-BR"),
        ("en, pt", "en"),
        ("pt;q=0.5, en;q=0.8", "en"),
        ("pt ; q=0.8 ,en;q=0.5", "pt-BR"),
        ("fr, de;q=0.9, *;q=0.1", "en"),
        ("pt;q=0", "en"),
        ("pt;q=nonsense", "en"),
        (";;,,\x00", "en"),
    ],
)
def test_the_language_with_the_highest_weight_is_chosen(accepted, language):
    assert preferred(accepted) == language
