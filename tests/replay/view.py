"""What one screen shows, worked out from what it heard and from its own clock, which may be hours off. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

Clock = Callable[[], datetime]


class View:
    """A client as the protocol asks for one: messages by number, the newest state, lengths of time counted from when
    they were heard. `wrong` says in sentences what it should never have heard.
    """

    def __init__(self, alias: str, clock: Clock) -> None:
        self.alias = alias
        self.items: dict[int, dict[str, Any]] = {}
        self.notices: list[dict[str, Any]] = []
        self.roster: list[dict[str, Any]] = []
        self.held: list[str] = []
        self.wrong: list[str] = []
        self._clock = clock
        self._state: dict[str, Any] | None = None
        self._heard_at = clock()
        self._last = 0  # the newest number that came as an event on this connection

    @property
    def head(self) -> int:
        return max(self.items, default=0)

    @property
    def version(self) -> int:
        return self._state["version"] if self._state else 0

    @property
    def fresh(self) -> bool:
        """Was the state heard this very moment?"""
        return self._heard_at == self._clock()

    def enter(self, ack: dict[str, Any]) -> None:
        """The answer to `room.join`: a new connection, with what was missed."""
        self._last = 0
        for item in ack["items"]:
            self._put(item)
        if ack["session"]:
            self._follow(ack["session"])
        self.roster = ack.get("roster", self.roster)

    def hear(self, event: str, data: dict[str, Any]) -> None:
        """One event."""
        if event == "messages":
            for item in data["items"]:
                if item["seq"] <= self._last:
                    self.wrong.append(f"{self.alias} was sent number {item['seq']} after {self._last}")
                self._last = item["seq"]
                self._put(item)
        elif event == "message.changed":
            changed = {k: v for k, v in data.items() if k in ("status", "text", "edited", "mentions", "trace")}
            if changed["status"] == "edited":
                changed |= {"status": "posted", "edited": True}
            self.items[data["seq"]] = self.items[data["seq"]] | changed
        elif event == "message.reactions":
            self.items[data["seq"]] = self.items[data["seq"]] | {"reactions": data["reactions"]}
        elif event == "session.state":
            self._follow(data["session"])
        elif event == "session.roster":
            self.roster = data["members"]
        elif event == "notice":
            self.notices.append(data)

    def shown(self) -> dict[str, Any] | None:
        """The state as this screen shows it now, counted on from when it was heard."""
        if self._state is None:
            return None
        gone = 0 if self._state["paused"] else round((self._clock() - self._heard_at).total_seconds())
        pulse, pairs = self._state["pulse"], self._state["breakout"]
        if pulse is not None:
            pulse = pulse | {"seconds_in": pulse["seconds_in"] + gone}
            pulse = pulse if pulse["seconds_in"] < pulse["seconds"] else None
        if pairs is not None:
            pairs = pairs | {"seconds_left": pairs["seconds_left"] - gone}
            pairs = pairs if pairs["seconds_left"] > 0 else None
        left = max(0, self._state["seconds_left"] - gone)
        return self._state | {"seconds_left": left, "pulse": pulse, "breakout": pairs}

    def talk(self) -> list[dict[str, Any]]:
        """The conversation as it stands on this screen."""
        return [self.items[seq] for seq in sorted(self.items)]

    def _follow(self, state: dict[str, Any]) -> None:
        if state["version"] < self.version and self._state and state["id"] == self._state["id"]:
            return  # old news
        self._state, self._heard_at = state, self._clock()

    def _put(self, item: dict[str, Any]) -> None:
        before = self.items.get(item["seq"])
        if before is not None and before["alias"] != item["alias"]:
            self.wrong.append(f"{self.alias} saw two people under number {item['seq']}")
        self.items[item["seq"]] = item
