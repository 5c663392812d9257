"""Turns a document of the model (see show) into aligned text that reads well in a hundred columns."""

from __future__ import annotations

from textwrap import wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    Document = dict[str, Any]

WIDTH = 100


def lines(document: Document) -> list[str]:
    """The lines of a document."""
    return [line.rstrip() for line in _MAKERS[document["noun"]](document)]


def at(place: Document) -> str:
    """`path:line`."""
    return f"{place['path']}:{place['line']}"


def table(rows: Sequence[Sequence[str]], indent: int = 2, widest: int = 46) -> Iterator[str]:
    """Rows in columns; what is too long for its column ends its line, and the row goes on below.

    The last column is wrapped under itself.
    """
    if not rows:
        return
    last = max(map(len, rows)) - 1
    widths = [
        max((len(row[column]) for row in rows if column < len(row) - 1 and len(row[column]) <= widest), default=0)
        for column in range(last)
    ]
    for row in rows:
        line, at_ = " " * indent, indent
        for cell, width in zip(row[:-1], widths, strict=False):
            at_ += width + 2
            if len(cell) > width:
                yield line + cell
                line = " " * at_
            else:
                line = (line + cell).ljust(at_)
        yield from hang(line, row[-1], len(line))


def hang(head: str, text: str, indent: int) -> Iterator[str]:
    """A head and a text behind it, the text's further lines below its first."""
    room = max(24, WIDTH - max(indent, len(head)))
    pieces = wrap(text, room, break_on_hyphens=False) or [""]
    yield head + pieces[0]
    for piece in pieces[1:]:
        yield " " * indent + piece


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _nothing(what: str) -> Iterator[str]:
    yield f"No {what} in this tree."


# -- services


def _services(document: Document) -> Iterator[str]:
    if not document["services"]:
        yield from _nothing("services")
        return
    for number, service in enumerate(document["services"]):
        if number:
            yield ""
        yield service["name"]
        rows: list[list[str]] = []
        for index, part in enumerate(service["parts"], 1):
            rows.append([f"[{index}] {part['kind']}", part["name"], at(part)])
            rows += [[f"    {claim['role']}", _value(claim), at(claim)] for claim in part["claims"]]
            if part["open"]:
                rows.append(["    open", "", part["open"]])
        yield from table(rows)
        links = [[f"[{one}] [{other}]", link["why"]] for link in service["links"] for one, other in [link["parts"]]]
        if links:
            yield "  tied together because"
            yield from table(links, 4)
    if document["beside"]:
        yield ""
        yield "beside them"
        yield from table([[each["role"], each["name"], at(each), _image(each)] for each in document["beside"]])


def _image(service: Document) -> str:
    """An image's name, of its digest what people compare."""
    name, at_, digest = (service["image"] or "built here").partition("@")
    return f"{name}@{digest[:13]}..." if at_ else name


def _value(claim: Document) -> str:
    if claim["role"] == "user" and claim["value"] == "":
        return "root, by default"
    return str(claim["value"])


# -- headers


def _headers(document: Document) -> Iterator[str]:
    if not document["targets"]:
        yield from _nothing("web application whose headers are known")
        return
    for number, target in enumerate(document["targets"]):
        if number:
            yield ""
        where = "on any platform" if target["target"] == "any" else f"on {target['target']}"
        yield f"{at(target)}  {where}"
        for header in target["headers"]:
            yield from _header(header)
        for doubt in target["doubts"]:
            yield from hang("  in doubt: ", doubt, 12)


def _header(header: Document) -> Iterator[str]:
    origins = [
        at(each) + (f" ({each['covers']} paths)" if each["covers"] != "all" else "") for each in header["values"]
    ]
    if header["why"]:
        origins.insert(0, header["why"])
    head = f"  {header['name']:26}  {header['state']:7}  "
    for origin in origins or [""]:
        yield from hang(head, origin, len(head))
        head = " " * len(head)
    for text in dict.fromkeys(each["value"] for each in header["values"]):
        yield from hang(" " * 6, text or "(a value that cannot be read)", 6)


# -- environment variables


def _env(document: Document) -> Iterator[str]:
    variables, targets = document["variables"], document["targets"]
    if not variables:
        yield from _nothing("environment variables")
        return
    if targets:
        yield "Where programs run and get their variables"
        yield from table([[f"[{each['number']}]", each["title"], at(each)] for each in targets])
        reasons: dict[str, list[int]] = {}
        for each in targets:
            if each["open"]:
                reasons.setdefault(each["open"], []).append(each["number"])
        for why, numbers in reasons.items():
            yield from hang(f"  {_ranges(numbers)} may hold more: ", why, 6)
        yield ""
        yield from _matrix(variables, targets)
        yield ""
    for variable in variables:
        yield variable["name"] + (f"  in {variable['application']}/" if variable["application"] else "")
        yield from table(list(_origins(variable)))
    if document["computed"]:
        yield ""
        yield "Names are computed, so that more may be read, at"
        yield from (f"  {at(each)}" for each in document["computed"])


def _ranges(numbers: list[int]) -> str:
    """`[1]-[3], [7]`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    return ", ".join("-".join(f"[{each}]" for each in run) for run in runs)


_KNOWN = (("read", "read"), ("documented", "docs"), ("set", "set"))


def _matrix(variables: list[Document], targets: list[Document]) -> Iterator[str]:
    """Name by name: read, documented, set in an env file, and given to each target; in blocks that fit the width."""
    width = min(45, max(len(each["name"]) for each in variables))
    room = max(1, (WIDTH - width - 20) // 3)
    for first in range(0, len(targets), room):
        if first:
            yield ""
        block = targets[first : first + room]
        yield f"  {'':{width}}  {'  '.join(word for _, word in _KNOWN)} " + "".join(
            f"{each['number']:3}" for each in block
        )
        for each in variables:
            given = {entry["target"] for entry in each["given"]}
            marks = "  ".join(("x" if each[key] else ".").center(len(word)) for key, word in _KNOWN)
            cells = "".join(
                f"{'x' if target['number'] in given else '?' if target['open'] else '.':>3}" for target in block
            )
            name = each["name"] if len(each["name"]) <= width else each["name"][: width - 3] + "..."
            yield f"  {name:{width}}  {marks} {cells}"
    yield ""
    yield "  x yes   . no   ? not here, but the target may hold more than the repository shows"


_DECLARED = "declared under [[provided]] of the configuration"


def _origins(variable: Document) -> Iterator[list[str]]:
    needed = variable["needed"]
    if needed:
        yield ["needed", needed]
    if variable["set_by_platform"]:
        yield ["system", "a platform, a tool or the system sets it"]
    if variable["library"]:
        yield ["library", variable["library"]]
    for key, origin in (("read", _read), ("documented", at), ("set", at)):
        for number, each in enumerate(variable[key]):
            yield ["" if number else key, origin(each)]
    for number, path in enumerate(variable["ignored_files"]):
        yield ["" if number else "ignored", path]
    for number, each in enumerate(variable["given"]):
        yield ["" if number else "given", f"[{each['target']}] " + (_DECLARED if each["declared"] else at(each))]


def _read(read: Document) -> str:
    words = [read["by"]]
    if read["form"] not in ("", "plain"):
        words.append(read["form"])
    if read["times"] > 1:
        words.append(f"{read['times']} times")
    return f"{at(read)}  ({', '.join(words)})"


# -- files


def _files(document: Document) -> Iterator[str]:
    groups: dict[str, list[Document]] = {}
    for file in document["files"]:
        groups.setdefault(file["state"], []).append(file)
    first = True
    for state in ("judged", "not analysed", "set aside", "not judged"):
        files = groups.get(state, [])
        if not files:
            continue
        if not first:
            yield ""
        first = False
        yield f"{state.capitalize()}: {_count(len(files), 'file')}"
        if state != "not judged":
            yield from table([_file(each) for each in files])
            continue
        reasons: dict[str, list[Document]] = {}
        for each in files:
            reasons.setdefault(each["why"], []).append(each)
        for why, members in sorted(reasons.items()):
            yield f"  {why}"
            yield from (f"    {each['path']}" + (f"  ({each['kind']})" if each["kind"] else "") for each in members)
    for folder in document["folders_not_read"]:
        yield f"Not read: {folder['path']}/  {folder['why']}"
    if first:
        yield from _nothing("files")


def _file(file: Document) -> list[str]:
    environment = "assumed production" if file["assumed"] else file["environment"]
    return [file["path"], file["kind"], f"{environment}: {file['why']}"]


# -- pipelines


def _pipelines(document: Document) -> Iterator[str]:
    if not document["pipelines"]:
        yield from _nothing("pipelines")
        return
    for number, pipeline in enumerate(document["pipelines"]):
        if number:
            yield ""
        yield f"{at(pipeline)}  {pipeline['name']}"
        if pipeline["events"]:
            yield from hang("  starts on ", ", ".join(_event(each) for each in pipeline["events"]), 12)
        if pipeline["open"]:
            yield from hang("  open: ", pipeline["open"], 8)
        for job in pipeline["jobs"]:
            yield f"  {job['id']}  line {job['line']}" + _manual(job)
            yield from table(list(_job(job)), 4)


def _event(event: Document) -> str:
    return f"{event['name']} (line {event['line']})"


def _manual(job: Document) -> str:
    if job["manual"] is None:
        return ", perhaps started by hand"
    return ", started by hand" if job["manual"] else ""


def _job(job: Document) -> Iterator[list[str]]:
    if job["environment"]:
        yield ["in", f"{job['environment']['name']} ({_near(job['environment'], job)})"]
    if job["needs"]:
        needs = dict.fromkeys(f"{each['job']} ({_near(each, job)})" for each in job["needs"])
        yield ["after", ", ".join(needs)]
    if job["calls"]:
        yield ["calls", job["calls"]]
    for number, gate in enumerate(job["gates"]):
        name = "may run any check" if gate["name"] == "?" else gate["name"]
        soft = f"  may fail: {gate['soft']}" if gate["soft"] else ""
        yield ["" if number else "gate", f"{name} ({_near(gate, job)}){soft}"]
    for number, deploy in enumerate(job["deploys"]):
        to = " ".join(filter(None, (deploy["platform"], deploy["target"])))
        environment = deploy["environment"] or "an environment that nothing names"
        by = f", by {deploy['by']}" if deploy["by"] else ""
        yield ["" if number else "deploys", f"{to} to {environment} ({_near(deploy, job)}){by}"]


def _near(place: Document, job: Document) -> str:
    return f"line {place['line']}" if place["path"] == job["path"] else at(place)


_MAKERS: dict[str, Callable[[Document], Iterable[str]]] = {
    "services": _services,
    "headers": _headers,
    "env": _env,
    "files": _files,
    "pipelines": _pipelines,
}
