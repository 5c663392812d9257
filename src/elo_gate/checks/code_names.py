"""Judges whether a module can work at all: every name it uses exists, and somebody uses what it exports."""

from __future__ import annotations

import re

from ..kinds.code import ANALYTICS, BACKUP, GATE, HEALTH, LIMITER, SANITISER, TRACKING
from ..model import Fault, Undecided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..kinds.code_module import Module
    from ..model import Artifact, Item

    Answers = Iterator[Fault | Undecided]

# Lower-case names that JavaScript, Node.js, workers and browsers bring along. Window's own event handlers and its rarer
# members are names nobody calls by accident; what is missing here is left alone when it is a member of window's.
_GLOBALS = frozenset(
    """
    undefined arguments globalThis global window self document navigator location history screen parent top frames
    opener
    process console require module exports performance crypto caches indexedDB localStorage sessionStorage
    fetch setTimeout clearTimeout setInterval clearInterval setImmediate clearImmediate queueMicrotask structuredClone
    requestAnimationFrame cancelAnimationFrame requestIdleCallback cancelIdleCallback atob btoa escape unescape
    encodeURI encodeURIComponent decodeURI decodeURIComponent isNaN isFinite parseInt parseFloat eval
    alert confirm prompt open close print focus blur scroll scrollTo scrollBy getComputedStyle getSelection matchMedia
    postMessage addEventListener removeEventListener dispatchEvent reportError createImageBitmap importScripts name
    event origin length status innerWidth innerHeight outerWidth outerHeight scrollX scrollY pageXOffset pageYOffset
    devicePixelRatio visualViewport customElements external isSecureContext crossOriginIsolated trustedTypes scheduler
    cookieStore speechSynthesis launchQueue navigation skipWaiting clients registration
    describe it test expect beforeEach afterEach beforeAll afterAll vi jest suite
    gtag dataLayer ga fbq grecaptcha turnstile google chrome browser wx uni my defineProps defineEmits
    """.split()
)
_COMPONENTS = frozenset(("React", "Fragment", "JSX", "Vue", "Preact", "Solid"))
# Classes that a module extends without an import: the language's and the browser's.
_CLASSES = re.compile(
    r"(?:\w*(?:Error|Element|Event|Target|Stream|Array|Map|Set|Promise|Object|Response|Request|Headers|URL|Processor))\Z"
)
# What puts names into modules at build time.
_PROVIDERS = ("nuxt", "@nuxt/kit", "unplugin-auto-import", "unplugin-vue-components", "babel-plugin-react-require")
# Frameworks whose components are no JavaScript files.
_TEMPLATES = ("svelte", "@sveltejs/kit", "vue", "nuxt", "astro")
_TESTS = re.compile(r"(?:^|/)(?:__tests__|__mocks__|tests?|e2e)/|\.(?:test|spec|stories|e2e|cy)\.\w+\Z")
_COMMENTS = re.compile(r"^[ \t]*(?:\{?/[/*]|\*).*$", re.M)
_CLIENT_HOOKS = frozenset((
    "useState", "useEffect", "useLayoutEffect", "useReducer", "useRef", "useContext", "useSyncExternalStore",
    "useTransition", "useDeferredValue", "useInsertionEffect", "useImperativeHandle", "useOptimistic", "useActionState",
))  # fmt: skip
_ENTRY = re.compile(r"(?:^|/)app/(?:.+/)?(?:page|layout|template|default|not-found)\.(?:tsx?|jsx?)\Z")
_DOES = {
    LIMITER: "the rate limiter", SANITISER: "the sanitiser", TRACKING: "the error tracking", ANALYTICS: "the analytics",
    BACKUP: "the backup",
}  # fmt: skip


def undeclared(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for each name that is used and that nothing declares, imports or brings along."""
    module: Module = it.facts["module"]
    source = module.tree.source
    if module.open or "///" in source.text and "<reference" in source.text or "@ts-nocheck" in source.text:
        return
    extended = {each.extends.partition("<")[0] for each in module.classes}
    tags = {name for name, _ in module.tags}
    seen: set[str] = set()
    for name, branch in module.uses:
        if name in module.declared or name in seen or name in params["globals"] or name in _GLOBALS:
            continue
        parent = branch.parent
        if parent is not None and parent.type in ("labeled_statement", "break_statement", "continue_statement"):
            continue
        if name[0] in "_$" or name.isupper() or name.startswith("on"):
            continue
        if name[0].isupper():
            if name in tags and parent is not None and parent.type.startswith("jsx_"):
                if name in _COMPONENTS:
                    continue
            elif name not in extended or _CLASSES.match(name):
                continue
        elif parent is not None and parent.type.startswith("jsx_"):
            continue  # a host element
        elif parent is not None and parent.type == "unary_expression":
            continue  # typeof name: asks whether it is there
        if f"typeof {name}" in source.text:
            continue
        seen.add(name)
        why = _brought(file, name)
        if why:
            yield Undecided(why, module.token(branch))
            continue
        yield Fault(module.token(branch), name=name)


def _brought(file: Artifact, name: str) -> str:
    """What may bring a name along that no module declares; "" for nothing."""
    package = file.project.package(file.path)
    if package is not None and any(package.has(each) for each in _PROVIDERS):
        return "the build brings names along"
    if file.project.partial:
        return "declarations of other files are not looked at"
    for path in file.project.programs:
        if path.endswith((".d.ts", ".d.mts")):
            text = file.project.text(path)
            if text is None or not text.strip() or name in text:
                return f"'{path}' may declare it"
    return ""


def hook_on_server(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a hook of React in a module that the App Router reads as a server component's."""
    module: Module = it.facts["module"]
    if "use client" in module.directives or file.project.partial:
        return
    call = next((each for each in module.calls if each.last in _CLIENT_HOOKS and _is_react(module, each.callee)), None)
    if call is None or not re.match(r"[A-Z]|default\Z", _exported_as(module, call.function)):
        return  # A hook of one's own is called by components, which say where they run.
    folder = _application(file)
    if folder is None:
        return
    server = _on_server(file, module)
    if server is None:
        raise Undecided("who renders the component is not known", module.token(call.name))
    if not server:
        return
    yield Fault(module.token(call.name), hook=call.last, name=call.function)


def _on_server(file: Artifact, module: Module) -> bool | None:
    """Whether a page of the App Router, or nobody, renders a module; None when the way up leads nowhere."""
    found = list(users(file, module))
    if not found:
        return True
    seen = {file.path, *(path for path, _ in found)}
    browser = False
    for _ in range(4):
        above: list[tuple[str, str]] = []
        for path, text in found:
            if "use client" in text[:400]:
                browser = True
            elif _ENTRY.search(path):
                return True
            else:
                above.extend(each for each in _importers(file, path) if each[0] not in seen)
        seen.update(path for path, _ in above)
        found = above
    return False if browser else None


def _importers(file: Artifact, path: str) -> Iterator[tuple[str, str]]:
    """(path, text) of the programs that import a file by its name."""
    stem = path.rpartition("/")[2].partition(".")[0]
    if stem == "index":
        stem = path.rpartition("/")[0].rpartition("/")[2]
    endings = tuple(f"/{stem}{end}" for end in ("'", '"', "."))
    for other in file.project.programs:
        if other != path and not other.endswith(".py") and not _TESTS.search(other):
            text = file.project.text(other)
            if text is not None and any(each in text for each in endings):
                yield other, text


def _is_react(module: Module, callee: str) -> bool:
    found = module.imports.get(callee.partition(".")[0])
    return found is None or found.source in ("react", "preact/hooks", "preact/compat")


def _exported_as(module: Module, name: str) -> str:
    """Under which name a function is exported, "" when it is not."""
    if name in module.exports:
        return name
    default = module.exports.get("default")
    return "default" if name and default is not None and module.text(default) == name else ""


def _application(file: Artifact) -> str | None:
    """The folder of the Next.js application with an App Router that a file belongs to, None when there is none."""
    from ..project import routes

    for app in routes.owners(file.project, file.path.rpartition("/")[0]):
        if any(route.router in ("app", "page") for route in app.routes):
            return app.folder
    return None


def never_called(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault for a module whose exports no other file names."""
    module: Module = it.facts["module"]
    role = next((each for each in it.facts["roles"] if each in _DOES), None)
    if role is None or GATE in it.facts["roles"] or HEALTH in it.facts["roles"] or not module.exports:
        return
    if file.project.partial or _is_entry(file.path) or "*" in module.exports:
        return
    own = [
        call for call in module.calls if call.last in ("use", "register") or call.owner is None and call.last == "init"
    ]
    if own:
        return  # It puts itself in place: `app.use(limiter)`, `Sentry.init()` at the top.
    for _ in users(file, module):
        return
    package = file.project.package(file.path)
    if package is not None and (not package.scripts_known or any(package.has(each) for each in _TEMPLATES)):
        raise Undecided("templates that are not read may import it", it.place)
    names = [name for name in module.exports if name != "default"]
    place = module.exports[names[0]] if names else module.exports["default"]
    severity = None if role == LIMITER else "warning"
    yield Fault(module.token(place), severity=severity, what=_DOES[role], names=", ".join(names) or "default")


def _is_entry(path: str) -> bool:
    """Whether a framework or a command starts the file by its name."""
    name = path.rpartition("/")[2]
    stem = name.partition(".")[0]
    return (
        stem
        in ("route", "page", "layout", "template", "error", "global-error", "instrumentation", "instrumentation-client")
        or name.startswith(("sentry.", "next.config", "server.", "main.", "index.", "app.", "_app.", "_document."))
        or "pages/" in path
        or path.startswith(("scripts/", "bin/"))
    )


def users(file: Artifact, module: Module) -> Iterator[tuple[str, str]]:
    """(path, text) of the other programs that name an export of the module, or the module itself in an import."""
    name = file.path.rpartition("/")[2]
    stem = name.partition(".")[0]
    if stem == "index":
        stem = file.path.rpartition("/")[0].rpartition("/")[2]
    exported = [each for each in module.exports if each != "default" and len(each) > 3]
    for path in file.project.programs:
        if path == file.path or path.endswith(".py") or _TESTS.search(path):
            continue
        text = file.project.text(path)
        if text is not None:
            text = _COMMENTS.sub("", text)  # a comment that names it calls nothing
        if text is None:
            yield path, ""
        elif (
            any(each in text for each in exported) or f"/{stem}'" in text or f'/{stem}"' in text or f"/{stem}." in text
        ):
            yield path, text


def refused_arguments(it: Item, file: Artifact, params: dict[str, Any]) -> Answers:
    """Yields a fault where a parameter whose type takes no arguments is called with some."""
    module: Module = it.facts["module"]
    if not file.path.endswith((".ts", ".tsx", ".mts", ".cts")):
        return
    for function in module.functions.values():
        parameters = function.child_by_field_name("parameters")
        for each in parameters.named_children if parameters is not None else ():
            pattern, kind = each.child_by_field_name("pattern"), each.child_by_field_name("type")
            if pattern is None or kind is None or pattern.type != "identifier" or kind.named_child_count != 1:
                continue
            taken = kind.named_children[0].child_by_field_name("parameters")
            if kind.named_children[0].type != "function_type" or taken is None or taken.named_child_count:
                continue
            name = module.text(pattern)
            call = next((call for call in module.calls_in(function) if call.callee == name and call.arguments), None)
            if call is not None:
                yield Fault(
                    module.token(call.name),
                    related=[(module.token(kind.named_children[0]), "its type")],
                    name=name,
                    type=module.text(kind.named_children[0]),
                )
