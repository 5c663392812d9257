"""Turns the Language Server Protocol into judgements: diagnostics, hovers and quick fixes over stdin and stdout.

A file is judged alone as it is typed, and the tree when a file is opened, saved or closed. Judgements run one at a time
in a thread of their own, so that the editor is answered meanwhile; of several that wait for the same one is made.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from .. import __version__
from ..discover import DiskTree
from ..inert import inert
from ..model import ERROR, NOTE, WARNING, Finding, Source
from . import actions, hover, positions
from .workspace import Seen, Workspace

WAIT = 0.15  # seconds without a key before a file is judged
STACK = 16 << 20  # other systems give a thread little; parsers of nested text want what a process has
_SEVERITIES = {
    ERROR: types.DiagnosticSeverity.Error,
    WARNING: types.DiagnosticSeverity.Warning,
    NOTE: types.DiagnosticSeverity.Information,
}


class Server(LanguageServer):
    """The server with its roots; `as_of` fixes the day of judgement for tests."""

    def __init__(self, as_of: str | None = None) -> None:
        super().__init__("elo-gate", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Incremental)
        self.as_of = as_of
        self.roots: dict[str, Workspace] = {}
        self.waiting: dict[str, int] = {}  # uri or root -> the number of the last wish to judge it
        self.queued: set[tuple[str, str | None]] = set()  # judgements that have not begun
        self.told = ""
        self.ended = False
        before = threading.stack_size(STACK)
        self.judging = ThreadPoolExecutor(1, "elo-gate")
        self.judging.submit(lambda: None).result()  # the thread starts here, with its stack
        threading.stack_size(before)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Says of an unexpected error its class alone: its message may quote what a file holds."""
        params = types.ShowMessageParams(
            types.MessageType.Error, f"elo-gate: failed: {type(error.__cause__ or error.__context__ or error).__name__}"
        )
        self.window_show_message(params)

    # -- where things are

    def root_of(self, path: str) -> Workspace:
        """The workspace of a file: the innermost folder that the editor has open, else its repository."""
        folder = os.path.dirname(path)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        opened = [os.path.realpath(uris.to_fs_path(each.uri) or os.sep) for each in self.workspace.folders.values()]
        here = os.path.realpath(folder) + os.sep
        inside = [root for root in opened if root != os.sep and here.startswith(root + os.sep)]
        root = max(inside, key=len) if inside else DiskTree(folder).top()
        if root not in self.roots:
            self.roots[root] = Workspace(root, self.as_of)
        return self.roots[root]

    def located(self, uri: str) -> tuple[Workspace, str] | None:
        """(workspace, path below it) of a document; None for what is no file on disk."""
        if not uri.startswith("file:"):
            return None
        path = uris.to_fs_path(uri)
        if path is None:
            return None
        found = self.root_of(path)
        below = found.below(path)
        return (found, below) if below is not None else None

    @property
    def encoding(self) -> str:
        kind = self.workspace.position_encoding
        return str(getattr(kind, "value", kind) or positions.UTF16)

    # -- judging

    async def judge(self, found: Workspace, path: str | None = None) -> None:
        """Judges a tree, or one file of it, and shows what there is."""
        key = (found.root, path)
        if key in self.queued:
            return  # it has not begun, and will begin with the newest texts
        self.queued.add(key)

        def begin() -> tuple[dict[str, str], set[str]]:
            self.queued.discard(key)
            texts = dict(found.texts)
            return texts, found.judge(texts) if path is None else found.judge_one(path, texts)

        texts, changed = await asyncio.get_running_loop().run_in_executor(self.judging, begin)
        self.tell(found)
        for each in sorted(changed):
            # What was typed meanwhile is judged by a wish of its own.
            if found.texts.get(each) == texts.get(each):
                self.publish(found, each)

    async def soon(self, key: str, found: Workspace, path: str | None, wait: float) -> None:
        """Judges after a while, unless the same is wished for again before."""
        number = self.waiting[key] = self.waiting.get(key, 0) + 1
        await asyncio.sleep(wait)
        if self.waiting[key] == number:
            await self.judge(found, path)

    def tell(self, found: Workspace) -> None:
        """Says once why nothing can be judged."""
        if found.error and found.error != self.told:
            params = types.ShowMessageParams(types.MessageType.Error, f"elo-gate: {inert(found.error)}")
            self.window_show_message(params)
        self.told = found.error

    def publish(self, found: Workspace, path: str) -> None:
        """Sends the diagnostics of a file."""
        uri = self.uri_of(found, path)
        seen = found.seen.get(path) or Seen()
        shown = [self.diagnostic(found, each) for each in seen.findings]
        for trouble in seen.troubles:
            shown.append(
                types.Diagnostic(
                    range=self.span(trouble.source, trouble.start, trouble.end),
                    message=f"Not analysed: {trouble.message}",
                    severity=types.DiagnosticSeverity.Error,
                    code=trouble.code,
                    source="elo-gate",
                )
            )
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=shown))

    def uri_of(self, found: Workspace, path: str) -> str:
        """A file's address, as the editor writes it where it has the file open."""
        full = os.path.join(found.root, path)
        for uri in self.workspace.text_documents:
            known = uris.to_fs_path(uri) if uri.startswith("file:") else None
            if known is not None and (known == full or found.below(known) == path):
                return str(uri)
        return uris.from_fs_path(full) or ""

    def span(self, source: Source, start: int, end: int) -> types.Range:
        """A span as a range, at least one character wide where the line has one."""
        if end <= start < len(source.text) and source.text[start] not in "\r\n":
            end = start + 1
        first, last = positions.place(source, start, self.encoding), positions.place(source, end, self.encoding)
        return types.Range(types.Position(*first), types.Position(*last))

    def diagnostic(self, found: Workspace, finding: Finding) -> types.Diagnostic:
        """A finding as the editor shows it."""
        related = [
            types.DiagnosticRelatedInformation(
                types.Location(self.uri_of(found, source.path), self.span(source, start, end)), words or "see also"
            )
            for source, start, end, words in finding.related
        ]
        identifier = finding.rule.id
        return types.Diagnostic(
            range=self.span(finding.source, finding.start, finding.end),
            message=f"{finding.message}\nfix: {finding.fix}",
            severity=_SEVERITIES.get(finding.severity, types.DiagnosticSeverity.Information),
            code=identifier,
            source="elo-gate",
            related_information=related or None,
        )


def made(as_of: str | None = None) -> Server:
    """A server with its features."""
    server = Server(as_of)

    @server.feature(types.SHUTDOWN)
    def ended(ls: Server, params: None) -> None:
        ls.ended = True

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
        await _changed(ls, params.text_document.uri, 0, whole=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def typed(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
        await _changed(ls, params.text_document.uri, WAIT, whole=False)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
        await _changed(ls, params.text_document.uri, 0, whole=True)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        where = ls.located(params.text_document.uri)
        if where is not None:
            found, path = where
            found.texts.pop(path, None)
            await ls.soon(found.root, found, None, 0)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def moved(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
        for found in list(ls.roots.values()):
            await ls.soon(found.root, found, None, WAIT)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(ls: Server, params: types.HoverParams) -> types.Hover | None:
        return _hover(ls, params)

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def offered(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        return _actions(ls, params)

    return server


async def _changed(ls: Server, uri: str, wait: float, whole: bool) -> None:
    """Takes the editor's text of a document and judges."""
    where = ls.located(uri)
    if where is None:
        return
    found, path = where
    found.texts[path] = ls.workspace.get_text_document(uri).source
    if whole:
        await ls.soon(found.root, found, None, wait)
    else:
        await ls.soon(uri, found, path, wait)


def _hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    where = ls.located(params.text_document.uri)
    if where is None or where[1] not in where[0].seen:
        return None
    found, path = where
    pages: dict[str, str] = {}
    span = None
    for finding in found.seen[path].findings:
        at = positions.offset(finding.source, params.position.line, params.position.character, ls.encoding)
        if finding.start <= at <= max(finding.end, finding.start + 1) and finding.rule.id not in pages:
            pages[finding.rule.id] = hover.page(found.ruleset, finding.rule.id)
            span = span or ls.span(finding.source, finding.start, finding.end)
    if not pages:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, "\n---\n\n".join(pages.values()))
    return types.Hover(contents=content, range=span)


def _actions(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    where = ls.located(params.text_document.uri)
    if where is None or where[1] not in where[0].seen:
        return []
    found, path = where
    seen = found.seen[path]
    text = found.texts.get(path)
    if not seen.findings or (text is not None and text != seen.findings[0].source.text):
        return []
    source = seen.findings[0].source
    start = positions.offset(source, params.range.start.line, params.range.start.character, ls.encoding)
    end = positions.offset(source, params.range.end.line, params.range.end.character, ls.encoding)
    offers = []
    for each in actions.actions(seen, start, end, found.texts, found.locked):
        edits: dict[str, list[types.TextEdit]] = {}
        for place, first, last, new in each.edits:
            span = types.Range(
                types.Position(*positions.place(place, first, ls.encoding)),
                types.Position(*positions.place(place, last, ls.encoding)),
            )
            edits.setdefault(ls.uri_of(found, place.path), []).append(types.TextEdit(span, new))
        offers.append(
            types.CodeAction(
                title=each.title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[ls.diagnostic(found, each.finding)],
                is_preferred=each.safe,
                edit=types.WorkspaceEdit(changes=edits),
            )
        )
    return offers


def serve() -> int:
    """Serves until the editor ends it; the exit code: 0 when it said so before, else 1, as the protocol wants."""
    import gc

    # The command line does without collecting: a run is short. A server is not.
    gc.enable()
    server = made()
    # The library closes what it writes to; and a word of anybody else must not get between the messages.
    stdin, stdout = os.fdopen(os.dup(sys.stdin.fileno()), "rb"), os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr
    server.start_io(stdin, stdout)
    return 0 if server.ended else 1
