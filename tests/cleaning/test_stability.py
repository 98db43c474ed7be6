"""The same story on a page that changed around it is the same text; an edit of the story is never missed."""

import re
from pathlib import Path

import pytest

from newsmorgue.cleaning import Article, clean

PAGE = (Path(__file__).parents[1] / "fixtures/gazette-du-littoral/article/page.html").read_text(encoding="utf-8")
BARE = (Path(__file__).parents[1] / "fixtures/gazette-du-littoral/brut/page.html").read_text(encoding="utf-8")
COURIER = (Path(__file__).parents[1] / "fixtures/harbour-courier/article/page.html").read_text(encoding="utf-8")
URL = "https://gazette-littoral.example/x/"


def read(page: str) -> Article:
    return clean(page.encode(), URL)


def seen(article: Article) -> tuple[str | None, str | None, str]:
    return article.headline, article.summary, article.text


SURROUNDINGS = {
    "another day": (PAGE, "mardi 5 mars 2024", "samedi 9 novembre 2024"),
    "more comments": (PAGE, "12 commentaires", "1 204 commentaires"),
    "another comment": (
        PAGE,
        '<li><div class="comment-author">Annick',
        '<li><div class="comment-author">Rozenn</div><p>'
        + "Je ne suis pas d’accord du tout avec ce qui précède, voici pourquoi. " * 12
        + '</p></li><li><div class="comment-author">Annick',
    ),
    "another reading time": (PAGE, "4 min de lecture", "11 min de lecture"),
    "other related stories": (PAGE, "Le phare rallumé après dix ans", "Un nouveau directeur pour le port de plaisance"),
    "other links inside": (
        PAGE,
        "Tempête de novembre : le récit d’une nuit à Port-Clair",
        "Ce que coûte vraiment une marée de coefficient 115",
    ),
    "other last links": (PAGE, "Marées : le calendrier des grands coefficients", "Sécheresse : les nappes au plus bas"),
    "no advert": (
        PAGE,
        '<div class="encart-pub"><span>Publicité</span><iframe src="https://ads.example/frame"></iframe></div>',
        "",
    ),
    "a talkative advert": (
        PAGE,
        "<span>Publicité</span>",
        "<span>Publicité</span><p>Profitez de moins 20 % sur toutes nos chaudières jusqu’à "
        "dimanche soir, pose comprise.</p>",
    ),
    "other favourites": (PAGE, "Météo : gel tardif sur la côte", "La criée fermée lundi pour inventaire"),
    "a longer menu": (PAGE, "<nav><ul>", "<nav><ul>" + '<li><a href="/z/">Encore une rubrique</a></li>' * 60),
    "tracking": (PAGE, "</body>", "<script>var t=1700000000</script><img src=/p?1></body>"),
    "bare: another day": (BARE, "jeudi 14 novembre 2024", "dimanche 17 novembre 2024"),
    "bare: other stories": (
        BARE,
        '<li><a href="/2/">Le phare rallumé après dix ans</a></li>',
        '<li><a href="/9/">Grève au port</a></li><li><a href="/8/">Gel tardif sur la côte</a></li>',
    ),
    "bare: other advice": (
        BARE,
        "La vedette de secours vendue aux enchères",
        "Que faire des vieux bateaux en plastique ?",
    ),
    "courier: other stories": (COURIER, "Who pays for the boats?", "The islands without a doctor"),
    "courier: other favourites": (COURIER, "Storm closes the pier", "Ferry fares to rise by a tenth"),
    "courier: more comments": (COURIER, "Comments (48)", "Comments (1,031)"),
}  # fmt: skip


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_what_surrounds_the_story_never_changes_it(name: str) -> None:
    page, old, new = SURROUNDINGS[name]
    assert old in page
    assert seen(read(page.replace(old, new))) == seen(read(page))


EDITS = (
    "Le préfet a démenti dans la soirée.",
    "Non.",
    "Lire le rapport prend une heure.",
    "Publicité mensongère, répond l’opposition.",
    "« Partager le coût, voilà la question », dit-elle.",
    "Contact a été pris avec 3 communes voisines le 4 mars 2024 à 10h.",
    "Les commentaires ne manquent pas au village.",
    "Maëlle Le Goff, du bureau Estran, l’assure : rien ne presse.",
)


@pytest.mark.parametrize("sentence", EDITS)
@pytest.mark.parametrize("where", range(7))
def test_a_new_paragraph_is_seen_wherever_it_stands(sentence: str, where: int) -> None:
    starts = [
        match.end() for match in re.finditer(r"</(?:p|ul|table|h2)>\n(?=<(?:p|h2|ul|blockquote|table))", story_of(PAGE))
    ]
    at = PAGE.index('<div class="texte">') + starts[where]
    before, after = read(PAGE), read(f"{PAGE[:at]}<p>{sentence}</p>\n{PAGE[at:]}")
    assert sentence in after.text
    assert after.text.replace(f"{sentence}\n\n", "", 1) == before.text


@pytest.mark.parametrize("sentence", EDITS)
def test_a_new_sentence_is_seen(sentence: str) -> None:
    old = "La commune devra emprunter."
    assert f"{old} {sentence}" in read(PAGE.replace(old, f"{old} {sentence}")).text


@pytest.mark.parametrize(
    "words", ["quatre", "18 avril", "2,4 M€", "une vanne au débouché", "derrière un mur", "Quatre millions"]
)
def test_a_changed_word_is_seen(words: str) -> None:
    assert seen(read(PAGE.replace(words, "SIX"))) != seen(read(PAGE))


def story_of(page: str) -> str:
    return page[page.index('<div class="texte">') : page.index("<p>A lire aussi")]


@pytest.mark.parametrize("attributes", [r' (?:class|id)="[^"]*"', r" class=\"[^\"]*\""])
def test_the_bare_page_needs_no_names(attributes: str) -> None:
    assert read(re.sub(attributes, "", BARE)).text == read(BARE).text


def test_cleaning_twice_gives_the_same() -> None:
    assert read(PAGE) == read(PAGE)
