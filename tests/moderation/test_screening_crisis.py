"""Somebody in danger is heard, and a figure of speech wakes nobody."""

from __future__ import annotations

import pytest

from moderation.screening import screen

PLAN_OR_FAREWELL = [
    "ik heb alle pillen op tafel klaargelegd",
    "Vannacht spring ik voor de trein.",
    "Het touw hangt al in de schuur",
    "ik sta nu op de brug en durf bijna",
    "mijn afscheidsbrieven zijn geschreven",
    "ik heb net een hele strip oxazepam geslikt",
    "Ik weet precies hoe ik het ga doen en wanneer",
    "vanavond maak ik er een eind aan",
    "Dit is mijn laatste bericht. Zorg goed voor mijn kinderen.",
    "als jullie dit lezen ben ik er niet meer",
    "Vaarwel allemaal, jullie waren lief voor me",
    "Bedankt voor alles. Sorry voor alles. Ik hou van jullie.",
    "I have the pills lined up on the table",
    "tonight I'm going to kill myself",
    "I wrote goodbye letters to my kids",
    "standing on the bridge right now",
    "by the time you read this I'll be gone",
    "I just swallowed all my tablets",
    "This is my last message. Tell my children I loved them.",
    "I bought a rope today",
    "Goodbye everyone, thank you for everything",
    "I know exactly how I will do it",
]

ACTIVE = [
    "ik wil dood",
    "Ik wil eigenlijk gewoon niet meer leven",
    "ik denk de laatste weken steeds aan zelfmoord",
    "was ik maar dood",
    "Voor mij hoeft het allemaal niet meer",
    "mijn gezin is beter af zonder mij",
    "ik wou dat ik morgen niet meer wakker werd, niet meer wakker worden lijkt me fijn",
    "soms wil ik mezelf iets aandoen",
    "ik heb mezelf weer gesneden",
    "ik kras mijn armen open, weer gesneden dus",
    "ik ben suïcidaal",
    "ik wil er niet meer zijn",
    "i want to die",
    "I don't want to live anymore",
    "I keep thinking about suicide",
    "everyone would be better off without me",
    "I wish I wasn't alive",
    "I've been cutting myself again",
    "i feel suicidal",
    "I want to end my life",
    "there is nothing left to live for",
    "sometimes I think about killing myself",
]

OTHERS = [
    "ik ben bang dat ik mijn vrouw iets aandoe",
    "ik ga hem vermoorden",
    "mijn man slaat me als hij gedronken heeft",
    "ik durf niet naar huis, hij heeft een mes",
    "ik sta niet meer voor mezelf in",
    "mijn vriendin zegt dat ze niet meer wil leven",
    "mijn broer heeft een overdosis genomen",
    "I'm scared I will hurt my wife",
    "he hits me when he is drunk",
    "I am afraid of my husband",
    "my brother says he wants to die",
    "I don't trust myself around him",
]

CHILD = [
    "Ik maak me zorgen om een kind in onze straat",
    "mijn kind is niet veilig thuis",
    "mijn ex slaat de kinderen",
    "de kinderen zijn bang voor hun vader",
    "mijn dochter heeft blauwe plekken sinds ze daar logeert",
    "het zoontje van de buren wordt mishandeld, denk ik",
    "I'm worried about a child next door",
    "my kids are not safe with him",
    "he hits the children",
    "my nephew is being neglected",
]

NOT_RED = [
    "ik schaam me dood",
    "ik was doodmoe na het werk",
    "ik ga dood van de honger",
    "we hebben ons doodgelachen gisteren, ik lachte me dood",
    "mijn telefoon is dood",
    "Ik verveel me dood op zondag en dan ga ik kijken",
    "mijn vrouw vermoordt me als ze dit leest",
    "ik kan mijn baas wel wurgen soms",
    "ik wil echt niet dood, ik wil alleen rust",
    "nee, ik heb geen zelfmoordgedachten",
    "ik wil een eind aan mijn verslaving maken",
    "ik schrijf een afscheidsbrief aan de porno, dat is de opdracht",
    "mijn opa is vorig jaar overleden",
    "mijn oom pleegde zelfmoord toen ik klein was",
    "de huisarts vroeg of ik aan zelfmoord dacht",
    "gisteren een film over zelfmoord gezien, heftig",
    "ik heb me gesneden bij het scheren",
    "ik wil zo niet meer leven met al die leugens",
    "ik sta op het perron te wachten op de trein",
    "dit is mijn laatste bericht voor vandaag, welterusten",
    "de drang vermoordt me als ik alleen ben",
    "vroeger wilde ik dood, nu gaat het goed",
    "I'm dying of shame",
    "dead tired after that session",
    "this headache is killing me",
    "my wife will kill me if she finds out",
    "I could kill for a coffee",
    "I am not suicidal, just sad",
    "I would never hurt myself",
    "my uncle died by suicide years ago",
    "the GP asked if I was suicidal",
    "I cut myself shaving this morning",
    "I want to end it with porn",
    "last message for today, good night",
    "I'm dying to hear how your week went",
    "my battery is dead",
    "we watched a documentary about suicide prevention",
    "I don't want to live like this, with all the lies",
    "years ago I wanted to die, therapy helped",
    "I took two paracetamol for my headache",
    "ik maak me zorgen over het rapport van mijn zoon",
    "my son is safe with his grandparents",
    "mijn kinderen zijn thuis en slapen al",
]


@pytest.mark.parametrize("text", PLAN_OR_FAREWELL)
def test_a_plan_or_a_farewell_is_held_and_alerts(text: str) -> None:
    verdict = screen(text)
    assert (verdict.action, verdict.alert) == ("hold", True)
    assert any(r.kind == "crisis_self" and r.level == "red" for r in verdict.reasons)
    assert verdict.text == text


@pytest.mark.parametrize("text", ACTIVE)
def test_a_wish_to_die_or_self_harm_alerts(text: str) -> None:
    verdict = screen(text)
    assert verdict.alert
    assert any(r.kind == "crisis_self" and r.level == "red" for r in verdict.reasons)


@pytest.mark.parametrize("text", OTHERS)
def test_danger_to_somebody_else_alerts(text: str) -> None:
    verdict = screen(text)
    assert verdict.alert
    assert any(r.kind == "crisis_other" for r in verdict.reasons)


@pytest.mark.parametrize("text", CHILD)
def test_worry_about_the_safety_of_a_child_is_held_and_alerts(text: str) -> None:
    verdict = screen(text)
    assert (verdict.action, verdict.alert) == ("hold", True)
    assert any(r.kind == "child_safety" for r in verdict.reasons)


@pytest.mark.parametrize("text", NOT_RED)
def test_figures_of_speech_denial_the_past_and_others_alert_nobody(text: str) -> None:
    assert not screen(text).alert


def test_a_cry_without_a_plan_is_delivered() -> None:
    assert screen("ik wil dood").action == "allow"
    assert screen("i want to die").action == "allow"


def test_despair_is_noted_without_an_alert() -> None:
    verdict = screen("ik zie het niet meer zitten")
    assert (verdict.action, verdict.alert) == ("allow", False)
    assert [r.level for r in verdict.reasons] == ["amber"]


DISGUISES = [
    "i k  w i l  d o o d",
    "ik w1l d00d",
    "IK WIL DOOOOOD",
    "ik wil d\u200bo\u200bod",
    "iк wil dооd",
    "ik wil d.o.o.d",
    "ikwildood",
    "i w4nt t0 d1e",
    "I want to d i e",
    "ｉ ｗａｎｔ ｔｏ ｄｉｅ",
    "ik denk aan zelfmrood",
    "ik denk aan z3lfm00rd",
]


@pytest.mark.parametrize("text", DISGUISES)
def test_a_disguised_cry_is_heard(text: str) -> None:
    assert screen(text).alert
