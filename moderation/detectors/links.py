"""Find e-mail addresses, web addresses and account names, also when they are spelled out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from moderation.detectors.model import Finding
from moderation.detectors.tokens import letters_of
from moderation.lexicon import word_set

_FILE = "links.toml"
_LABEL = r"[a-z0-9](?:[a-z0-9\-]{0,40}[a-z0-9])?"
_EMAIL = re.compile(rf"(?<![\w.+\-])[a-z0-9][\w.+\-]{{0,60}} ?@ ?{_LABEL}(?: ?\. ?{_LABEL}){{1,3}}(?!\w)")
_URL = re.compile(r"(?:https?|hxxps?|ftp)\s?:\s?//\s?[^\s<>\"]{2,200}|\bwww ?\. ?[^\s<>\"]{3,200}")
_DOMAIN = re.compile(
    rf"(?<![\w@.\-])(?:{_LABEL}\.){{1,4}}(?P<top>[a-z]{{2,12}})(?P<path>/[^\s<>\"]{{0,200}})?(?![\w@])"
)
_DOT_AND_TOP = re.compile(r"\.[a-z]{2}")
_STAFF = r"apenstaart(?:je)?|apestaart(?:je)?"
_AT = rf"(?:\s?[(\[{{<]\s?(?:at|{_STAFF}|@)\s?[)\]}}>]\s?|\s(?:at|{_STAFF}|a-staart|@)\s|apenstaartje|\s?@\s?)"
_BRACKETED_DOT = r"\s?[(\[{<]\s?(?:punt|dot|\.)\s?[)\]}>]\s?"
_DOT = rf"(?:{_BRACKETED_DOT}|\s(?:punt|dot|stip)\s|\s?\.\s?|-(?:punt|dot)-)"
_PART = r"(?:[._\-]|\s(?:punt|dot|underscore|streepje|dash)\s|-(?:punt|dot)-)"
_SPELLED_EMAIL = re.compile(
    rf"(?<![\w.])[a-z0-9]\w{{0,30}}(?:{_PART}\w{{1,30}}){{0,3}}{_AT}(?P<host>[a-z0-9][a-z0-9\-]{{1,30}})"
    rf"(?:{_DOT}(?P<top>[a-z]{{2,6}}))?(?!\w)"
)
_SPELLED_DOMAIN = re.compile(
    rf"(?<![\w.])(?:www{_DOT})?[a-z0-9][a-z0-9\-]{{1,40}}(?:{_BRACKETED_DOT}|\s(?:punt|dot)\s|-(?:punt|dot)-)"
    r"(?P<top>[a-z]{2,6})(?:\s?(?:/|slash)\s?[\w\-]{1,40})?(?!\w)"
)
_SPELLED_MARKS = ("punt", "dot", "staart", "@", " at ", "(.", "[.", "(at", "[at", "{at", "stip")
_AT_NAME = re.compile(r"(?<![\w@.])@[a-z0-9_][\w.]{1,29}(?<!\.)")
_CALLED_THERE = re.compile(
    r"\b(?:op|on) (?P<service>[a-z]{2,12}) (?:heet|ben|noem|am|called|i'?m|i am)(?: ik| ik me| me)? "
    r"(?P<name>[a-z0-9_][\w.\-]{2,30})"
)
_NUMBERED = re.compile(r"\b[a-z][\w.]{1,30} ?# ?\d{4}\b")
_REDDIT = re.compile(r"(?<![\w/])/?[ur]/[a-z0-9_\-]{3,30}\b")
_WORDS = re.compile(r"[^\W\d_]+")
_ACCOUNT = re.compile(
    r"\b(?P<service>[a-z]{2,12})"
    r"(?: ?(?:naam|name|user|username|account|acc|handle|id|nick|profiel|adres|me))?"
    r"(?P<link>\s?[:=]\s?"
    r"|\s(?:is|heet|(?:te vinden )?(?:als|onder)|as|under|op|naam|zijn|name)\s(?:de naam |the name )?"
    r"|\s?->\s?|\s)"
    r"(?P<name>[a-z0-9_][\w.\-]{1,30})"
)


def find_links(text: str) -> Iterator[Finding]:
    """Give e-mail addresses and web addresses in folded `text`; help sites are left alone."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Finding("contact", "email", *match.span(), "mask", label="email")
    if "://" in text or "www" in text or ": //" in text:
        for match in _URL.finditer(text):
            span = _trimmed(text, *match.span())
            if not _is_help_site(re.sub(r"^(?:\w+\s?:\s?//\s?)?", "", text[slice(*span)]).replace(" ", "")):
                yield Finding("link", "url", *span, "mask", label="link")
    if _DOT_AND_TOP.search(text):
        for match in _DOMAIN.finditer(text):
            if _is_domain(text, match) and not _is_help_site(match.group()):
                yield Finding("link", "domain", *_trimmed(text, *match.span()), "mask", label="link")
    yield from _spelled(text)


def find_accounts(text: str) -> Iterator[Finding]:
    """Give account names: @name, name#1234, u/name, and "my insta is name"."""
    if "@" in text:
        for match in _AT_NAME.finditer(text):
            yield Finding("contact", "at_name", *match.span(), "mask", label="account")
    if "#" in text:
        for match in _NUMBERED.finditer(text):
            yield Finding("contact", "numbered_name", *match.span(), "mask", label="account")
    if "u/" in text:
        for match in _REDDIT.finditer(text):
            if "u/" in match.group()[:3]:
                yield Finding("contact", "reddit_name", *match.span(), "mask", label="account")
    services = word_set(_FILE, "services")
    if not services.isdisjoint(letters_of(text)):
        for called in _CALLED_THERE.finditer(text):
            if called.group("service") in services and called.group("name") not in word_set(_FILE, "not_a_name"):
                yield Finding("contact", "called_there", *called.span("name"), "mask", label="account")
        for start in _service_start().finditer(text):
            match_at = _ACCOUNT.match(text, start.start())
            if match_at and _is_account(text, match_at):
                yield Finding("contact", "account", *match_at.span("name"), "mask", label="account")


@lru_cache(maxsize=1)
def _service_start() -> re.Pattern[str]:
    services = sorted(word_set(_FILE, "services"), key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(services) + r")(?![^\W_])")


def _is_account(text: str, match: re.Match[str]) -> bool:
    """Tell an account name from an ordinary word after the name of a service."""
    name = match.group("name").rstrip(".-")
    if name in word_set(_FILE, "not_a_name") or name in word_set(_FILE, "services"):
        return False
    marked = bool(re.search(r"[\d_]|\w\.\w", name))
    link = match.group("link").strip()
    if not link:
        return marked and not name.isdigit()
    if marked and not name.isdigit():
        return True
    before = _WORDS.findall(text[max(0, match.start() - 40) : match.start()])[-4:]
    if not any(word in word_set(_FILE, "invitations") for word in before) and link not in (":", "=", "->"):
        return False
    after = text[match.end() :].lstrip(" ")
    return len(name) >= 3 and (not after or after[0] in ".,!?;:)\n" or link not in ("is",))


def _is_domain(text: str, match: re.Match[str]) -> bool:
    top = match.group("top")
    if top in word_set(_FILE, "sure_tops"):
        return True
    if top not in word_set(_FILE, "ambiguous_tops"):
        return False
    if match.group("path") or match.group().removesuffix("." + top) in word_set(_FILE, "short_hosts"):
        return True
    before = _WORDS.findall(text[max(0, match.start() - 24) : match.start()])[-2:]
    return any(word in word_set(_FILE, "site_cues") for word in before) or match.group() == text.strip()


def _spelled(text: str) -> Iterator[Finding]:
    if not any(mark in text for mark in _SPELLED_MARKS):
        return
    for match in _SPELLED_EMAIL.finditer(text):
        host, top = match.group("host"), match.group("top")
        if host in word_set(_FILE, "mail_hosts") or (top and top in word_set(_FILE, "spelled_tops")):
            yield Finding("contact", "email_spelled", *match.span(), "mask", label="email")
    for match in _SPELLED_DOMAIN.finditer(text):
        if match.group("top") in word_set(_FILE, "spelled_tops") and not _is_help_site(_undotted(match.group())):
            yield Finding("link", "domain_spelled", *match.span(), "mask", label="link")


def _undotted(spelled: str) -> str:
    return re.sub(r"\s?[(\[{<]?\s?(?:punt|dot)\s?[)\]}>]?\s?|\s?[(\[{<]\s?\.\s?[)\]}>]\s?", ".", spelled)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while end > start + 1 and text[end - 1] in ".,;:!?)'\"":
        end -= 1
    return start, end


def _is_help_site(address: str) -> bool:
    host = re.split(r"[/?#:]", address, maxsplit=1)[0].rstrip(".,;!?)").removeprefix("www.")
    return any(host == site or host.endswith("." + site) for site in word_set("helplines.toml", "sites"))
