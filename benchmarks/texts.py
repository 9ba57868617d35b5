"""Ordinary Dutch for a peer-support group: about 200 characters that the screening lets pass, never twice."""

from __future__ import annotations

import random

SENTENCES = (
    "het was een rustige week en dat voelde goed",
    "ik merk dat ik vaker op tijd naar bed ga",
    "gisteren heb ik een lange wandeling gemaakt",
    "de oefening over grenzen vond ik best lastig",
    "door het schrijven kreeg ik weer wat overzicht",
    "ik herken veel in wat je net vertelde",
    "mijn hoofd was vol maar na het koken werd het stiller",
    "het helpt me om eerst even adem te halen",
    "vanmorgen stond ik op met een beter gevoel",
    "ik heb het moeilijke gesprek toch gevoerd",
    "de drang kwam op en ging na een tijdje weer voorbij",
    "ik wil deze week elke avond iets opschrijven",
    "soms denk ik dat het nooit overgaat en dan lees ik dit",
    "fijn dat jullie er zijn en dat ik niets hoef uit te leggen",
    "ik twijfel nog over de volgende stap",
    "het weekend vind ik altijd het zwaarst",
    "muziek opzetten werkt voor mij beter dan stilte",
    "ik ben trots dat ik nee heb gezegd",
    "de tijd na het werk is voor mij het lastigste moment",
    "vandaag lukte het om mijn plan te volgen",
    "ik schrok van hoe snel ik weer in oude gewoontes viel",
    "een kop thee en een boek waren genoeg",
    "ik oefen met mild zijn voor mezelf",
    "wat je schreef over schaamte raakte me",
    "het stuk uit het hoofdstuk heb ik twee keer gelezen",
    "ik probeer minder streng te oordelen",
    "de stap lijkt klein maar voor mij was hij groot",
    "ik ga het morgen opnieuw proberen",
)


class Texts:
    """Makes texts. The same seed gives the same texts in the same order."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._given: set[str] = set()

    def __call__(self) -> str:
        """A text that this maker has not given before."""
        while True:
            text = ". ".join(s.capitalize() for s in self._random.sample(SENTENCES, 5)) + "."
            if text not in self._given:
                self._given.add(text)
                return text
