"""Turns the drawing of a deployment into SVG, and into a table that says the same."""

from __future__ import annotations

from ..model import ERROR
from .graph import DEPLOYS, IMAGE, IN, MADE, RUNS, SERVES, SOURCES, Band, Card, Wire
from .markup import escape, prose, table, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Finding
    from .language import Language

_WIDTH, _GAP, _EDGE = 238, 92, 16  # of a card, between columns, around everything
_HEAD, _LINE, _FOOT = 46, 16, 10  # of a card
_BETWEEN, _TITLE = 14, 30  # between cards of a column, above those of a band
_LETTERS = 31  # of the width of a card
_TITLES = {IN: "Entrances and pipelines", RUNS: "Runs on", IMAGE: "Image", SOURCES: "Application"}
_KINDS = {
    "application": "Application", "image": "Image", "compose": "Compose", "kubernetes": "Kubernetes",
    "railway": "Railway", "vercel": "Vercel", "proxy": "Proxy", "job": "Pipeline job",
}  # fmt: skip


class _Box:
    """Where a card stands."""

    __slots__ = ("x", "y", "height", "right", "left")

    def __init__(self, x: float, y: float, height: float) -> None:
        self.x, self.y, self.height = x, y, height
        self.left: list[tuple[float, Wire]] = []
        self.right: list[tuple[float, Wire]] = []

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    def port(self, wire: Wire, right: bool) -> tuple[float, float]:
        """Where a wire leaves: those of one side are spread over it in the order of their other ends."""
        side = [each for _, each in sorted(self.right if right else self.left, key=lambda each: each[0])]
        share = (side.index(wire) + 1) / (len(side) + 1)
        return self.x + (_WIDTH if right else 0), self.y + self.height * share


class Drawing:
    """The bands laid out. `findings` are those of the run: a number is a place in them, from 1."""

    def __init__(self, bands: list[Band], findings: list[Finding], tongue: Language) -> None:
        self.bands = [band for band in bands if band.cards]
        self.findings = findings
        self.tongue = tongue
        used = sorted({card.column for band in self.bands for card in band.cards})
        self.columns = {column: at for at, column in enumerate(used)}
        self.width = 2 * _EDGE + len(used) * _WIDTH + max(0, len(used) - 1) * _GAP + 2 * _EDGE
        self.boxes: dict[int, _Box] = {}
        self.frames: list[tuple[float, float]] = []
        top = float(_EDGE + 24)
        for band in self.bands:
            bottom = self._lay(band, top + _TITLE)
            self.frames.append((top, bottom - top + _EDGE))
            top = bottom + _EDGE + _BETWEEN
        self.height = top
        for band in self.bands:
            for wire in band.wires:
                one, other = self.boxes[id(wire.one)], self.boxes[id(wire.other)]
                one.right.append((other.middle, wire))
                (other.right if wire.one.column == wire.other.column else other.left).append((one.middle, wire))

    def _lay(self, band: Band, top: float) -> float:
        """Places the cards of a band; returns where it ends. What is tied past the image stands below it."""
        ends = dict.fromkeys(self.columns, top)
        through = {id(wire.one) for wire in band.wires if wire.other.column == IMAGE}
        past = {id(wire.one) for wire in band.wires if wire.other.column - wire.one.column > 1}
        for column in (SOURCES, IMAGE, RUNS, IN):
            cards = [card for card in band.cards if card.column == column]
            if column == RUNS:
                cards.sort(key=lambda each: id(each) in past and id(each) not in through)
            elif column == IN:
                order = {id(wire.one): self.boxes[id(wire.other)].y for wire in band.wires if wire.one.column == IN}
                cards.sort(key=lambda each: order.get(id(each), 1e9))
            for card in cards:
                height = _HEAD + _LINE * len(card.facts) + _FOOT
                y = ends[column]
                if column == RUNS and id(card) in past and IMAGE in ends:
                    y = max(y, ends[IMAGE] + 4)
                x = 2 * _EDGE + self.columns[column] * (_WIDTH + _GAP)
                self.boxes[id(card)] = _Box(x, y, height)
                ends[column] = y + height + _BETWEEN
        return max(ends.values()) - _BETWEEN

    # -- words

    def kind(self, card: Card) -> str:
        """What a card is, in words."""
        return self.tongue.say(_KINDS.get(card.kind, card.kind))

    def name(self, card: Card) -> str:
        """A card's name where it says more than its kind and its path."""
        return "" if card.name == card.path or card.name.lower() == card.kind.lower() else card.name

    def label(self, card: Card) -> str:
        """Kind and name."""
        return f"{self.kind(card)} {self.name(card)}".rstrip()

    def facts(self, card: Card) -> list[str]:
        """The lines of a card."""
        return [self.tongue.say(words, *values) for words, values in card.facts]

    def severe(self, numbers: list[int]) -> str:
        """The severity of the worst of some findings, "" for none."""
        found = {self.findings[number - 1].severity for number in numbers}
        return next((each for each in ("error", "warning", "note") if each in found), "")

    # -- SVG

    def svg(self) -> str:
        """The drawing; its links lead to the findings of the page."""
        say = self.tongue.say
        cards = sum(len(band.cards) for band in self.bands)
        wires = [wire for band in self.bands for wire in band.wires]
        broken = sum(1 for wire in wires if wire.findings)
        about = say(
            "{} and {}; broken: {}.", self.tongue.count(cards, "place"), self.tongue.count(len(wires), "link"), broken
        )
        out = [
            f'<svg class="drawing" viewBox="0 0 {self.width:g} {self.height:g}" role="group" '
            f'width="{self.width:g}" height="{self.height:g}" aria-labelledby="drawing-name drawing-about">',
            f'<title id="drawing-name">{escape(say("The deployment"))}</title>',
            f'<desc id="drawing-about">{escape(about)} {escape(say("The table below says the same."))}</desc>',
        ]
        for column, at in self.columns.items():
            x = 2 * _EDGE + at * (_WIDTH + _GAP)
            out.append(f'<text class="column" x="{x}" y="22">{escape(say(_TITLES[column]))}</text>')
        for band, (top, height) in zip(self.bands, self.frames, strict=True):
            size = f'width="{self.width - 2 * _EDGE:g}" height="{height:g}"'
            out.append(f'<rect class="band" x="{_EDGE}" y="{top:g}" {size} rx="8"/>')
            name = band.name or say("Pipelines")
            out.append(f'<text class="band-name" x="{2 * _EDGE}" y="{top + 20:g}">{escape(_short(name, 60))}</text>')
        marks = []
        for wire in sorted(wires, key=lambda each: bool(each.findings)):
            line, mark = self._wire(wire)
            out.append(line)
            marks.append(mark)
        out += [self._card(card) for band in self.bands for card in band.cards]
        return "\n".join([*out, *filter(None, marks), "</svg>"])

    def _wire(self, wire: Wire) -> tuple[str, str]:
        """The line, and the mark with its findings."""
        one, other = self.boxes[id(wire.one)], self.boxes[id(wire.other)]
        x1, y1 = one.port(wire, True)
        same = wire.one.column == wire.other.column
        x2, y2 = other.port(wire, same)
        if same:
            bend = x1 + _GAP * 0.7
            path = f"M{x1:g} {y1:g}C{bend:g} {y1:g} {bend:g} {y2:g} {x2:g} {y2:g}"
            middle = (x1 + _GAP * 0.52, (y1 + y2) / 2)
        else:
            start = x2 - _GAP  # past the columns between on one height, then the curve
            half = (start + x2) / 2
            path = f"M{x1:g} {y1:g}H{start:g}C{half:g} {y1:g} {half:g} {y2:g} {x2:g} {y2:g}"
            middle = (half, (y1 + y2) / 2)
        severity = self.severe(wire.findings)
        names = f"wire {wire.kind}" + (f" broken {severity}" if severity else "")
        title = f"{wire.one.name} - {wire.other.name}: {wire.why}"
        line = f'<path class="{names}" d="{path}"><title>{escape(title)}</title></path>'
        if not severity:
            return line, ""
        shown = wire.findings[:2]
        words = " ".join(f"#{number}" for number in shown) + (" +" if len(wire.findings) > 2 else "")
        return line, self._mark(middle[0], middle[1], words, wire.findings[0], severity, title)

    def _mark(self, x: float, y: float, words: str, number: int, severity: str, title: str) -> str:
        width = 7 * len(words) + 12
        shape = (
            f'<rect x="{x - width / 2:g}" y="{y - 9:g}" width="{width}" height="18" rx="9"/>'
            f'<text x="{x:g}" y="{y + 4:g}">{escape(words)}</text>'
        )
        return tag("a", shape, href=f"#f{number}", class_=f"mark {severity}", aria_label=f"{words}: {title}")

    def _card(self, card: Card) -> str:
        box = self.boxes[id(card)]
        x, y = box.x, box.y
        severity = self.severe(card.findings)
        where = card.where
        title = " - ".join([self.label(card), where, *self.facts(card)])
        out = [
            f'<g class="card{" " + severity if severity else ""}"><title>{escape(title)}</title>',
            f'<rect x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{box.height:g}" rx="6"/>',
            f'<text class="kind" x="{x + 12:g}" y="{y + 19:g}">{escape(self.kind(card))}</text>',
        ]
        name = self.name(card)
        if name:
            room = 27 - len(self.kind(card)) - (2 if card.findings else 0)
            left = x + 20 + 7.2 * len(self.kind(card))
            out.append(f'<text class="name" x="{left:g}" y="{y + 19:g}">{escape(_short(name, max(6, room)))}</text>')
        out.append(f'<text class="where" x="{x + 12:g}" y="{y + 37:g}">{escape(_tail(where, _LETTERS))}</text>')
        for at, fact in enumerate(self.facts(card)):
            line = y + _HEAD + 8 + _LINE * at
            out.append(f'<text class="fact" x="{x + 12:g}" y="{line:g}">{escape(_short(fact, _LETTERS))}</text>')
        if card.findings:
            first = next(n for n in card.findings if self.findings[n - 1].severity == severity)
            words = self.tongue.count(len(card.findings), "finding")
            out.append(
                self._mark(x + _WIDTH - 16, y + 1, str(len(card.findings)), first, severity, f"{words}, {title}")
            )
        return "".join(out) + "</g>"

    # -- table

    def table(self) -> str:
        """The same for those who do not see the drawing."""
        say = self.tongue.say
        heads = ("Service", "Part", "Where", "What it says", "Tied to", "Findings")
        rows = [
            [
                tag("th", escape(band.name or say("Pipelines")), scope="row"),
                tag("td", escape(self.label(card))),
                tag("td", tag("code", escape(card.where))),
                tag("td", "<br>".join(map(escape, self.facts(card)))),
                tag("td", "<br>".join(self._tie(card, wire) for wire in band.wires if card in (wire.one, wire.other))),
                tag("td", self.links(card.findings)),
            ]
            for band in self.bands
            for card in band.cards
        ]
        return table(map(say, heads), rows)

    def _tie(self, card: Card, wire: Wire) -> str:
        other = wire.other if wire.one is card else wire.one
        return f"{escape(other.name)}: {prose(wire.why)}{self._broken(wire)}"

    def _broken(self, wire: Wire) -> str:
        if not wire.findings:
            return ""
        return f" <strong>{escape(self.tongue.say('broken'))}</strong> {self.links(wire.findings)}"

    def links(self, numbers: list[int], limit: int = 12) -> str:
        """Links to findings by their numbers, the most severe first."""
        ordered = sorted(numbers, key=lambda each: self.findings[each - 1].severity != ERROR)
        shown = " ".join(f'<a class="{self.findings[n - 1].severity}" href="#f{n}">#{n}</a>' for n in ordered[:limit])
        return shown + (f" +{len(ordered) - limit}" if len(ordered) > limit else "")

    def legend(self) -> str:
        """What the lines mean."""
        say = self.tongue.say
        kinds = {wire.kind for band in self.bands for wire in band.wires}
        rows = [(SERVES, "passes requests on to"), (DEPLOYS, "deploys"), (MADE, "is made from, or the same as")]
        rows = [(kind, words) for kind, words in rows if kind in kinds]
        if any(wire.findings for band in self.bands for wire in band.wires):
            rows.append(("broken error", "broken, with the number of the finding"))
        listed = [
            f'<li><svg width="34" height="10" aria-hidden="true" focusable="false">'
            f'<path class="wire {names}" d="M1 5H33"/></svg>{escape(say(words))}</li>'
            for names, words in rows
        ]
        return tag("ul", "".join(listed), class_="legend")


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _tail(text: str, limit: int) -> str:
    """The end of a path, which says more than its begin."""
    return text if len(text) <= limit else "\N{HORIZONTAL ELLIPSIS}" + text[1 - limit :]
