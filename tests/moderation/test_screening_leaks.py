"""What would identify somebody is masked; what only looks like it is left alone."""

from __future__ import annotations

import pytest

from moderation.screening import screen

# (message, the piece that must be gone)
LEAKS = [
    ("mijn nummer is 0612345678", "0612345678"),
    ("bel me op 06-12 34 56 78", "12 34 56"),
    ("06 - 12345678", "12345678"),
    ("+31 6 12345678 is van mij", "12345678"),
    ("0031612345678", "612345678"),
    ("(06) 12 34 56 78", "12 34 56"),
    ("06.12.34.56.78", "12.34"),
    ("06*12*34*56*78", "12*34"),
    ("o6 12345678", "12345678"),
    ("0 6 1 2 3 4 5 6 7 8", "1 2 3 4"),
    ("０６１２３４５６７８", "１２３"),
    ("06 twaalf 34 56 78", "twaalf"),
    ("nul zes een twee drie vier vijf zes zeven acht", "drie vier"),
    ("nulzes twaalf vierendertig zesenvijftig achtenzeventig", "vierendertig"),
    ("nul zes dubbel twee drie vier vijf zes zeven acht", "dubbel"),
    ("020-6241111 is thuis", "6241111"),
    ("bel 0475 123 456", "123 456"),
    ("+32 475 12 34 56", "12 34"),
    ("+49 1512 3456789", "3456789"),
    ("07700 900123", "900123"),
    ("my cell is 555-123-4567", "123-4567"),
    ("zero seven seven zero zero nine zero zero one two three", "seven seven"),
    ("+44 7700 900 123 call me", "900 123"),
    ("jan.jansen@gmail.com", "jansen"),
    ("mail naar piet89 @ hotmail . com", "piet89"),
    ("jan apenstaartje gmail punt com", "apenstaartje"),
    ("sanne (at) outlook (dot) com", "sanne"),
    ("peter at gmail dot com", "peter"),
    ("info[at]bedrijf[punt]nl", "bedrijf"),
    ("j a n @ g m a i l . c o m", "g m a i l"),
    ("NL91 ABNA 0417 1643 00", "0417"),
    ("betaal op nl91abna0417164300", "0417"),
    ("BE68 5390 0754 7034", "5390"),
    ("mijn bsn is 111222333", "111222333"),
    ("111222333", "111222333"),
    ("burgerservicenummer: 1234.56.782", "1234"),
    ("ik woon op Dorpsstraat 12", "Dorpsstraat"),
    ("dorpsstraat 12a, 1234 ab", "1234 ab"),
    ("3512 JE 45 is mijn postcode", "3512 JE"),
    ("1234AB 10", "1234AB"),
    ("Laan van Meerdervoort 100", "Meerdervoort"),
    ("I live at 12 Baker Street", "Baker"),
    ("my postcode is SW1A 1AA", "SW1A"),
    ("de prins hendrikkade 33", "hendrikkade"),
    ("https://www.voorbeeld.nl/pagina?x=1", "voorbeeld"),
    ("kijk op pornosite.com", "pornosite"),
    ("www.iets.nl", "iets"),
    ("t.me/mijnkanaal", "mijnkanaal"),
    ("discord.gg/abcd", "abcd"),
    ("voorbeeld punt nl", "voorbeeld"),
    ("mysite dot com is great", "mysite"),
    ("voorbeeld[.]com", "voorbeeld"),
    ("@jan_utrecht89", "jan_utrecht89"),
    ("mijn insta is jan_89", "jan_89"),
    ("snap: lotte.xo", "lotte.xo"),
    ("ik sta op telegram als donkerbos", "donkerbos"),
    ("ik ben te vinden op snap: janneke90", "janneke90"),
    ("discord: vos#1234", "vos#1234"),
    ("my kik is bluefox77", "bluefox77"),
    ("ik ben u/stilwater99", "stilwater99"),
    ("ik heet Pieter", "Pieter"),
    ("ik heet pieter", "pieter"),
    ("mijn naam is Fatima Yilmaz", "Yilmaz"),
    ("mijn naam is jan de vries", "vries"),
    ("mijn vrouw sandra weet het niet", "sandra"),
    ("mijn man Dirk-Jan zei niets", "Dirk-Jan"),
    ("Groetjes Mark", "Mark"),
    ("dankjewel!\ngroet,\nhenk", "henk"),
    ("My name is Oliver", "Oliver"),
    ("i'm called gemma", "gemma"),
    ("my wife Karen found out", "Karen"),
    ("kind regards, Nigel", "Nigel"),
    ("call me Steve", "Steve"),
    ("mijn therapeut Marieke zegt dat ook", "Marieke"),
    ("mijn collega heet Wouter", "Wouter"),
    ("Sanne de Boer zit ook in deze groep", "Boer"),
    ("ik werk bij Philips", "Philips"),
    ("ik werk bij de rabobank in de stad", "rabobank"),
    ("I work at Tesco", "Tesco"),
    ("ik woon in Zwolle", "Zwolle"),
    ("ik ben Sandra", "Sandra"),
    ("hoi ik ben kees", "kees"),
    ("I live in Swindon", "Swindon"),
]

HARMLESS = [
    "Bel 113 of 0800-0113, gratis en anoniem",
    "Veilig Thuis is 0800-2000",
    "0800 266 64 36 kun je ook bellen",
    "De Luisterlijn: 088 0767 000",
    "call 116 123 for the Samaritans",
    "988 works in the US",
    "in Belgie bel je 1813",
    "0800-0188, dag en nacht",
    "bij nood 112",
    "kijk op 113.nl of www.113.nl",
    "op thuisarts.nl staat uitleg",
    "vandaag 17 dagen, om 19.30 uur",
    "op 21-11-2026 begin ik opnieuw",
    "sessie van 19.30 - 21.00 uur",
    "drang 8, stemming 4, energie 3",
    "ik heb 10.000 euro uitgegeven",
    "1 2 3 4 5 6 7 8 9 10, zo tel ik af",
    "een twee drie vier vijf zes zeven acht negen tien, adem uit",
    "in 2024 en 2025 ging het slecht",
    "ik ben 34 jaar en heb 2 kinderen",
    "bestelnummer 123456789 kwam niet aan",
    "in 2024 is het begonnen",
    "ik was 20 minuten onderweg 3 keer per dag",
    "hoofdstuk 3, stap 12",
    "06.30 uur op, 07.15 uur weg",
    "01-02-2026 10.30 uur",
    "ik heet iedereen welkom",
    "mijn naam is niet belangrijk",
    "mijn schuilnaam is Noor_eik",
    "ik ben bang",
    "ik ben Nederlander",
    "mijn vrouw weet het niet",
    "mijn man Ik weet het niet",
    "mijn vrouw en ik praten weer",
    "my wife knows everything now",
    "my name is not important",
    "i'm called to be honest here",
    "groetjes en sterkte allemaal",
    "groeten uit een regenachtig land",
    "will you be there tonight?",
    "dat was in mei, april was erger",
    "een roos voor mijn vrouw",
    "insta is mijn grootste trigger",
    "mijn insta is verwijderd",
    "snapchat heb ik van mijn telefoon gehaald",
    "ik heb discord verwijderd",
    "ik was moe.Daarna ging ik slapen",
    "ik was moe.de volgende dag ging het beter",
    "ik werk bij een bank",
    "ik werk bij de gemeente",
    "I work at a school",
    "ik woon in Nederland",
    "ik woon in een klein dorp",
    "I live in a small town",
    "dat is een goed punt, nl. dat je eerlijk bent",
    "op dat punt ben ik het met je eens",
    "score 9/10 vandaag",
    "versie 2.0.1 van mijn plan",
    "van 100 naar 0 in 3 weken",
    "ik lees het boek van Patrick Carnes",
    "tweede kerstdag 2025 was moeilijk",
    "3 uur en 45 minuten, 2 dagen achter elkaar",
    "elke dag 30 push-ups en 10 minuten stilte",
    "12 dagen, 5 dagen, 3 dagen, 20 dagen: mijn reeksen",
    "5 minutes down the road there is a park",
    "week 1, week 2 en week 3 gedaan",
    "It's 10.30pm and I am still awake",
    "at home it is quiet",
    "look at the dot on the wall",
]


@pytest.mark.parametrize(("text", "piece"), LEAKS)
def test_what_identifies_somebody_is_masked(text: str, piece: str) -> None:
    verdict = screen(text)
    assert verdict.action == "mask"
    assert piece not in verdict.text
    assert "[" in verdict.text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_identifies_nobody_is_left_alone(text: str) -> None:
    verdict = screen(text)
    assert verdict.action == "allow"
    assert verdict.text == text


def test_a_dutch_mobile_number_is_masked_in_the_words_of_the_language() -> None:
    assert screen("0612345678").text == "[telefoonnummer]"
    assert screen("0612345678", lang="en").text == "[phone number]"


@pytest.mark.parametrize(
    ("recent", "text"),
    [
        (("06",), "12345678"),
        (("mijn nummer is 06",), "12345678"),
        (("06", "1234"), "5678"),
        (("nul zes", "een twee drie vier"), "vijf zes zeven acht"),
        (("06 12", "34 56"), "78 bel maar"),
        (("+31 6",), "12345678"),
    ],
)
def test_a_number_split_over_lines_is_masked(recent: tuple[str, ...], text: str) -> None:
    verdict = screen(text, recent=recent)
    assert verdict.action == "mask"
    assert "78" not in verdict.text


@pytest.mark.parametrize(
    ("recent", "text"),
    [
        (("ik ben 34",), "2 kinderen heb ik"),
        (("drang was 8",), "nu 4"),
        (("om 06",), "30 dagen al"),
        (("0800",), "0113"),
        (("wat een dag",), "12345678"),
    ],
)
def test_loose_numbers_over_lines_are_left_alone(recent: tuple[str, ...], text: str) -> None:
    assert screen(text, recent=recent).action == "allow"


@pytest.mark.parametrize(
    "text", ["Dag Mees, fijn dat je er bent", "Groetjes, Mees", "@Mees_duin hoe is het", "hoi noor"]
)
def test_people_may_call_each_other_by_their_alias(text: str) -> None:
    assert screen(text, aliases=frozenset({"Mees_duin", "Noor_eik"})).action == "allow"


def test_a_name_that_is_nobodys_alias_stays_masked() -> None:
    assert screen("Hoi Sanne", aliases=frozenset({"Mees_duin", "Noor_eik"})).text == "Hoi [naam]"


def test_an_email_address_is_called_an_email_address() -> None:
    verdict = screen("Mail me op mees@voorbeeld.nl")
    assert verdict.text == "Mail me op [e-mailadres]"
    assert {reason.kind for reason in verdict.reasons} == {"contact"}
