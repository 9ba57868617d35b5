"""What should wait for a moderator waits; what merely looks like it does not."""

from __future__ import annotations

import pytest

from moderation.screening import screen

HARASSMENT = [
    "jij bent echt een zielige loser",
    "wat een viezerik ben jij zeg",
    "hou je bek man",
    "rot op met je zielige verhalen",
    "ik weet waar je woont",
    "ik sla je in elkaar",
    "ga dood",
    "niemand zit op jou te wachten",
    "Vieze pervert",
    "ik vertel alles aan je vrouw",
    "you are a disgusting freak",
    "shut up you idiot",
    "kill yourself",
    "I will find you",
    "nobody cares about you, loser",
    "You're pathetic",
    "fuck you",
    "alle vluchtelingen moeten dood",
    "I hate women",
    "moslims zijn ongedierte",
    "k y s",
    "j3 b3nt 33n l0s3r",
]

EXPLICIT = [
    "ze pijpte me en ik kwam klaar in haar mond",
    "filmpje waarin een vrouw wordt geneukt door twee man",
    "she sucked my cock and I came on her tits",
    "I pulled her panties off",
]

SOLICITATION = [
    "weet iemand nog een goede site met filmpjes?",
    "stuur me een linkje",
    "wie heeft er zin in sexten?",
    "wat is je nummer?",
    "zullen we op whatsapp verder praten",
    "iemand telegram?",
    "dm me",
    "zullen we buiten de app afspreken?",
    "hoe kan ik die blocker omzeilen",
    "verdien 500 euro per week vanuit huis",
    "Viagra zonder recept, nu met korting",
    "gratis proefperiode, klik hier",
    "does anyone know a good porn site?",
    "send nudes",
    "anyone up for sexting tonight",
    "what's your number?",
    "let's move to telegram",
    "add me on snapchat",
    "want to meet up for coffee in person?",
    "how do I bypass the filter",
    "earn 500 dollars a week from home",
    "click here for a free trial",
    "selling weed, cheap",
    "guaranteed crypto returns, join now",
]

FREE = [
    "weet iemand een goede blocker voor mijn telefoon?",
    "kan iemand een therapeut aanraden?",
    "does anyone know a good porn blocker?",
    "ik ben een loser, dat denk ik dan",
    "ik voel me zo'n mislukkeling",
    "I am such an idiot",
    "je bent geen loser",
    "you are not a failure",
    "mijn vader noemde me altijd een mislukkeling",
    "my ex called me pathetic",
    "de stem in mijn hoofd zegt: je bent waardeloos",
    "ik haat mijn verslaving",
    "fuck, weer teruggevallen",
    "kut zeg, wat een dag",
    "mijn vrouw wil dat ik hulp zoek",
    "ik heb telegram verwijderd van mijn telefoon",
    "I deleted onlyfans and told my wife",
    "wie heeft tips tegen de drang in het weekend?",
    "zal ik mijn buddy een bericht sturen?",
    "ik heb de groep veel te danken",
]


@pytest.mark.parametrize("text", HARASSMENT)
def test_harassment_is_held(text: str) -> None:
    verdict = screen(text)
    assert verdict.action == "hold"
    assert any(r.kind == "harassment" for r in verdict.reasons)


@pytest.mark.parametrize("text", EXPLICIT)
def test_graphic_detail_is_held(text: str) -> None:
    verdict = screen(text)
    assert verdict.action == "hold"
    assert any(r.kind == "explicit" for r in verdict.reasons)


@pytest.mark.parametrize("text", SOLICITATION)
def test_solicitation_and_spam_are_held(text: str) -> None:
    verdict = screen(text)
    assert verdict.action == "hold"
    assert any(r.kind == "solicitation" for r in verdict.reasons)


@pytest.mark.parametrize("text", FREE)
def test_what_only_looks_like_it_is_delivered(text: str) -> None:
    verdict = screen(text)
    assert verdict.action == "allow"
    assert not verdict.alert
