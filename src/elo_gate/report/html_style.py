"""The style and the script of the HTML page. Fixed texts: the page names their digests and admits no others."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--bg:#f6f6f4;--panel:#fff;--line:#dfdfda;--soft:#ecece8;--text:#1b2026;--muted:#59626d;
--link:#1b5aa0;--error:#b3261a;--warning:#8a5a00;--note:#2b5f8f;--passed:#1c7040;--broken:#85308a;
--error-bg:#fdf0ee;--warning-bg:#fdf5e3;--note-bg:#eef4fa;--passed-bg:#ebf6ef;--broken-bg:#f9eefa;--mark:#ffe3de;
--code:#f7f7f5;--focus:#1b5aa0}
@media(prefers-color-scheme:dark){:root{--bg:#14171a;--panel:#1b1f24;--line:#343a42;--soft:#272c33;--text:#e4e7ea;
--muted:#a0a9b3;--link:#84b8f0;--error:#ff9587;--warning:#e9b653;--note:#8cbdec;--passed:#75cf98;--broken:#dd9be2;
--error-bg:#35201d;--warning-bg:#322915;--note-bg:#1c2a38;--passed-bg:#1a2e22;--broken-bg:#32203a;--mark:#5d2a24;
--code:#16191d;--focus:#84b8f0}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0;background:var(--bg);color:var(--text);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans",
"Liberation Sans",Arial,sans-serif;overflow-wrap:anywhere}
a{color:var(--link);text-underline-offset:2px}
a:focus-visible,summary:focus-visible,button:focus-visible,select:focus-visible,input:focus-visible,
.scroll:focus-visible{outline:2px solid var(--focus);outline-offset:2px;border-radius:3px}
code,pre,.where,kbd{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",
monospace;
font-size:.92em}
bdi{unicode-bidi:isolate}
h1,h2,h3,h4{line-height:1.25;margin:0;text-wrap:balance}
h2{font-size:1.15rem;margin:0 0 .75rem}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:1rem;z-index:9;background:var(--panel);padding:.5rem 1rem;border:1px solid var(--line)}
header,main,footer{max-width:76rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:1.25rem}
.top{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.25rem 1.5rem;color:var(--muted);font-size:.86rem}
.top strong{color:var(--text);letter-spacing:.01em}
.verdict{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:.5rem 2rem;align-items:center;margin:.75rem 0 0;
padding:1.1rem 1.25rem;background:var(--panel);border:1px solid var(--line);border-left:5px solid var(--tone);
border-radius:6px}
.verdict.passed{--tone:var(--passed)}.verdict.blocked{--tone:var(--error)}.verdict.broken{--tone:var(--broken)}
.verdict h1{font-size:1.7rem;color:var(--tone)}
.verdict p{margin:.3rem 0 0;color:var(--muted)}
.counts{display:flex;gap:1.5rem;margin:0;padding:0;list-style:none;text-align:right}
.counts b{display:block;font-size:1.6rem;line-height:1.1;font-weight:600;font-variant-numeric:tabular-nums}
.counts span{color:var(--muted);font-size:.86rem}
.counts .error b{color:var(--error)}.counts .warning b{color:var(--warning)}.counts .note b{color:var(--note)}
.counts .zero b{color:var(--muted)}
.facts{display:flex;flex-wrap:wrap;gap:.25rem 1.75rem;margin:.75rem 0 0;padding:0;list-style:none;color:var(--muted)}
.facts b{color:var(--text);font-weight:600;font-variant-numeric:tabular-nums}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.25rem;margin:.9rem 0 0;padding:.6rem 0;list-style:none;
border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
main>section{margin:1.75rem 0 0}
.panel{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:1rem 1.25rem}
.broken-list{border-left:5px solid var(--broken)}
.broken-list ul{margin:.5rem 0 0;padding-left:1.2rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.93rem}
th,td{overflow-wrap:break-word;text-align:left;vertical-align:top;padding:.38rem .75rem .38rem 0;
border-bottom:1px solid var(--soft);font-weight:400}
thead th{color:var(--muted);font-size:.82rem;border-bottom-color:var(--line);white-space:nowrap}
tbody tr:last-child>*{border-bottom:0}
td code{overflow-wrap:anywhere}
td details>summary{padding:0;font-size:.94em;white-space:nowrap}
td details ul{margin:.1rem 0 .3rem;font-size:.94em}
td.n{font-variant-numeric:tabular-nums;white-space:nowrap}
table a.error{color:var(--error)}table a.warning{color:var(--warning)}table a.note{color:var(--note)}
.clauses th[scope=row]{white-space:nowrap;font-weight:600;width:4.5rem}
.clauses td:nth-child(3){white-space:nowrap}
.state{display:inline-block;padding:0 .5rem;border-radius:9px;font-size:.86rem;white-space:nowrap;color:var(--muted);
background:var(--soft)}
.state.error{color:var(--error);background:var(--error-bg)}.state.warning{color:var(--warning);
background:var(--warning-bg)}
.state.note{color:var(--note);background:var(--note-bg)}.state.passed{color:var(--passed);background:var(--passed-bg)}
.filter{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end;margin:0 0 1rem}
.filter[hidden]{display:none}
.filter fieldset{border:0;margin:0;padding:0;display:flex;gap:.9rem}
.filter legend,.filter label.over{display:block;color:var(--muted);font-size:.82rem;padding:0;margin:0 0 .15rem}
.filter select,.filter input[type=search]{font:inherit;height:2.1rem;color:inherit;background:var(--panel);
border:1px solid var(--line);
border-radius:4px;padding:.25rem .4rem;width:13rem;max-width:100%}
.filter input[type=search]{width:10rem}
.filter button{font:inherit;color:var(--link);background:none;border:1px solid var(--line);border-radius:4px;
padding:.25rem .7rem;height:2.1rem;cursor:pointer}
.filter fieldset label{line-height:2.1rem}
.filter output{color:var(--muted);margin-left:auto}
.file{margin:0 0 1.25rem}
.file>h3{display:flex;flex-wrap:wrap;gap:.1rem .8rem;align-items:baseline;font-size:1rem;font-weight:600;
padding:.35rem 0}
.file>h3 code{font-size:.95rem}
.file>h3 span{color:var(--muted);font-weight:400;font-size:.86rem}
.finding{background:var(--panel);border:1px solid var(--line);border-left:4px solid var(--tone);
padding:.7rem 1rem .75rem;margin:0 0 -1px}
.file .finding:nth-of-type(1){border-radius:0 6px 0 0}.file .finding:last-child{border-radius:0 0 6px 0}
.finding.error{--tone:var(--error)}.finding.warning{--tone:var(--warning)}.finding.note{--tone:var(--note)}
.finding:target{box-shadow:0 0 0 2px var(--focus);position:relative}
.finding h4{display:flex;flex-wrap:wrap;gap:.1rem .7rem;align-items:baseline;font-size:.95rem}
.finding h4 .sev{color:var(--tone);font-weight:700}
.finding h4 a{color:var(--muted);font-weight:400;text-decoration:none;font-variant-numeric:tabular-nums}
.meta{display:flex;flex-wrap:wrap;gap:.1rem .9rem;margin:.1rem 0 0;color:var(--muted);font-size:.86rem}
.finding p{margin:.35rem 0}
pre.frame{margin:.5rem 0;padding:.4rem 0;background:var(--code);border:1px solid var(--soft);border-radius:4px;
overflow-x:auto;line-height:1.45}
pre.frame span{display:block;padding:0 .75rem;white-space:pre}
pre.frame .hit{background:var(--soft)}
pre.frame i{font-style:normal;color:var(--muted);user-select:none;-webkit-user-select:none}
mark{background:var(--mark);color:inherit;border-bottom:2px solid var(--error);padding:0}
.warning mark{border-color:var(--warning)}.note mark{border-color:var(--note)}
.finding dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem .8rem;margin:.4rem 0 0}
.finding dt{color:var(--muted)}.finding dd{margin:0}
.finding dd code,.finding p code,td code{background:var(--code);border:1px solid var(--soft);border-radius:3px;
padding:0 .2em}
.empty{color:var(--muted)}
details>summary{cursor:pointer;color:var(--link);padding:.25rem 0}
details ul{margin:.25rem 0 .75rem;padding-left:1.2rem}
.drawing{display:block;max-width:100%;height:auto}
.drawing text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;
fill:var(--text)}
.drawing .column{font:600 13px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,
sans-serif;fill:var(--muted)}
.drawing .band{fill:var(--bg);stroke:var(--line)}
.drawing .band-name{font:600 14px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,
sans-serif}
.card>rect{fill:var(--panel);stroke:var(--line)}
.card.error>rect{stroke:var(--error)}.card.warning>rect{stroke:var(--warning)}
.drawing .card .kind{font-weight:700}
.drawing .card .where,.drawing .card .fact{font-size:11px;fill:var(--muted)}
.drawing .card .fact{fill:var(--text)}
.wire{fill:none;stroke:var(--muted);stroke-width:1.5}
.wire.deploys{stroke-dasharray:6 4}
.wire.serves{stroke-width:2.5}
.wire.broken.error{stroke:var(--error);stroke-width:2.5}.wire.broken.warning{stroke:var(--warning);stroke-width:2.5}
.drawing .mark rect{fill:var(--panel);stroke:var(--muted)}
.drawing .mark.error rect{fill:var(--error)}.drawing .mark.error text{fill:var(--panel)}
.drawing .mark.warning rect{fill:var(--warning)}.drawing .mark.warning text{fill:var(--panel)}
.drawing .mark.note rect{fill:var(--note)}.drawing .mark.note text{fill:var(--panel)}
.drawing .mark rect{stroke:none}
.drawing .mark text{text-anchor:middle;font-size:11px;font-weight:700}
.drawing a:focus-visible rect{stroke:var(--focus);stroke-width:3}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.5rem;margin:.6rem 0 0;padding:0;list-style:none;color:var(--muted);
font-size:.86rem}
.legend svg{margin-right:.5rem;vertical-align:middle}
footer{margin-top:2rem;padding-bottom:2rem;color:var(--muted);font-size:.86rem}
@media(max-width:60rem){.drawing{max-width:none}}
@media(max-width:42rem){.verdict{grid-template-columns:1fr}.counts{text-align:left}header,main,footer{
padding-left:.8rem;padding-right:.8rem}
.panel{padding:.8rem .8rem}.filter output{margin-left:0}.finding dl{grid-template-columns:minmax(0,1fr);gap:0}
.finding dd{margin-bottom:.3rem}
.clauses td:nth-child(4),.clauses thead th:nth-child(4),.clauses td:nth-child(5),.clauses thead th:nth-child(5){
display:none}
.clauses td:nth-child(3),td details>summary{white-space:normal}.state{white-space:normal}}
@media print{:root{color-scheme:light;--bg:#fff;--panel:#fff;--line:#bbb;--soft:#ddd;--text:#000;--muted:#444;
--link:#000;--error:#a31515;
--warning:#6b4600;--note:#1d4a73;--passed:#145230;--broken:#6b2470;--error-bg:#fff;--warning-bg:#fff;--note-bg:#fff;
--passed-bg:#fff;
--mark:#fff;--code:#fff}
body{font-size:10pt}header,main,footer{max-width:none;padding:0}nav,.filter,.skip{display:none!important}
.finding,tr,.card{break-inside:avoid}h2,h3,h4{break-after:avoid}.drawing{max-width:100%}.scroll{overflow:visible}
pre.frame span{white-space:pre-wrap}a{text-decoration:none}details.twin{display:none}
.panel>details::details-content{
content-visibility:visible;block-size:auto;height:auto}
@page{margin:14mm}}
@media(forced-colors:active){.finding,.verdict{border-left-color:CanvasText}mark{forced-color-adjust:none;color:#000;
background:#ffe3de}}
@media(prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
"""

SCRIPT = """
(function(){"use strict";
var form=document.getElementById("filter");if(!form)return;
var found=[].slice.call(document.querySelectorAll(".finding")),files=[].slice.call(document.querySelectorAll(".file"));
var file=form.elements.file,rule=form.elements.rule,words=form.elements.words,out=form.querySelector("output");
function texts(){return words.value.toLowerCase().split(/\\s+/).filter(Boolean)}
function shows(one){var sought=texts(),box=form.elements[one.dataset.severity];
if(box&&!box.checked)return false;
if(file.value&&one.dataset.file!==file.value)return false;
if(rule.value&&one.dataset.rule!==rule.value)return false;
if(!sought.length)return true;var text=one.textContent.toLowerCase();
return sought.every(function(each){return text.indexOf(each)>=0})}
function apply(){var count=0;
found.forEach(function(one){var yes=shows(one);one.hidden=!yes;if(yes)count+=1});
files.forEach(function(one){one.hidden=!one.querySelector(".finding:not([hidden])")});
out.textContent=form.dataset.count.replace("{}",count).replace("{}",found.length)}
function reveal(){var one=document.getElementById(location.hash.slice(1));
if(one&&one.hidden){form.reset();apply();one.scrollIntoView()}}
form.addEventListener("input",apply);form.addEventListener("change",apply);
form.addEventListener("reset",function(){setTimeout(apply,0)});
form.addEventListener("submit",function(event){event.preventDefault()});
window.addEventListener("hashchange",reveal);
form.hidden=false;apply();reveal();
})();
"""
