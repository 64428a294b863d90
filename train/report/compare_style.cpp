// The look of the report: light and dark, wide and narrow, on paper.
#include "train/report/compare_parts.h"

namespace weft::report::page {

// The shades q0 to q8 are one hue from the paper's colour to its opposite, so that they are told
// apart without colour; text on each has a contrast of at least 4.5 (the test in the browser
// measures it).
const char* const kCompareStyle = R"css(
:root { --better: #0b5cad; --worse: #a8410a; --even: #1f6f5c; --accent: #0b5cad; --soft: #f4f6f9; --warn: #fff6e0; --warn-line: #d9a520;
  --q0: #f7fafd; --q1: #e3edf7; --q2: #cfe0f0; --q3: #b0d0e6; --q4: #86bbdc; --q5: #5ba1ce; --q6: #2b6fae; --q7: #14539a; --q8: #0a3470;
  --on-low: #1d2430; --on-high: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --better: #7cb8f2; --worse: #f0a06a; --even: #6fd0b4; --accent: #7cb8f2; --soft: #1b212b;
  --warn: #2e2716; --warn-line: #a17d22;
  --q0: #171d26; --q1: #1a2736; --q2: #1d3249; --q3: #20405f; --q4: #224b72; --q5: #275b8a; --q6: #5399d0; --q7: #7cb4e0; --q8: #a8d0ee;
  --on-low: #e6e9ef; --on-high: #10151c; } }
html { -webkit-text-size-adjust: 100%; }
html:not([lang^="zh"]) [lang="zh-CN"]:not(#language), html[lang^="zh"] [lang="en"]:not(#language) { display: none; }
body { max-width: 74rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; overflow-wrap: break-word; }
.bar, h1, p, li, figcaption, summary, .badge, .keys button { overflow-wrap: anywhere; } .keys button { text-align: left; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0.6rem 0 0.4rem; max-width: 56rem; text-wrap: balance; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 0.6rem; padding-top: 0.9rem; border-top: 1px solid var(--line); }
p { max-width: 46rem; margin: 0.5rem 0; }
b { color: var(--ink); }
code { font: 0.9em ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; color: var(--ink); }
small { font-size: 0.75rem; }
.bar { display: flex; justify-content: space-between; align-items: center; gap: 1rem; color: var(--dim); font-size: 0.9rem; }
button, select { font: inherit; color: var(--ink); background: var(--soft); border: 1px solid var(--line); border-radius: 6px;
  padding: 0.2rem 0.7rem; }
button { cursor: pointer; } #language { flex: none; }
select { max-width: 100%; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.facts, .dim { font-size: 0.9rem; }
header .facts { max-width: none; }
.notice { border-left: 3px solid var(--warn-line); background: var(--warn); color: var(--ink); padding: 0.5rem 0.8rem; border-radius: 0 6px 6px 0;
  max-width: 46rem; margin: 0.75rem 0; }
.notice p { color: var(--ink); margin: 0; } .notice ul { margin: 0.4rem 0 0; padding-left: 1.2rem; }
nav { display: flex; flex-wrap: wrap; gap: 0.15rem 1.1rem; font-size: 0.9rem; margin-top: 0.9rem; }
nav a { color: var(--accent); text-decoration: none; } nav a:hover { text-decoration: underline; }
.verdicts { list-style: none; padding: 0; margin: 1rem 0; }
.verdicts li { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 0.25rem 1rem; padding: 0.65rem 0; border-top: 1px solid var(--line); }
.verdicts li > div { max-width: 52rem; }
.verdicts b { display: block; }
.badge { align-self: start; font-size: 0.85rem; font-weight: 600; text-decoration: none; padding-top: 0.1rem; color: var(--dim); white-space: nowrap;
  }
.badge span[aria-hidden] { display: inline-block; width: 1.1em; text-align: center; }
.badge.better { color: var(--better); } .badge.worse { color: var(--worse); } .badge.equivalent { color: var(--even); }
.badge:hover { text-decoration: underline; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; margin: 0.75rem 0; max-height: 44rem; overflow-y: auto;
  width: fit-content; max-width: 100%; }
.scroll:has(.matrix) { max-height: 80rem; }
table { border-collapse: separate; border-spacing: 0; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--dim); padding: 0.5rem 0.75rem; caption-side: top; }
th, td { padding: 0.3rem 0.75rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
th { font-weight: 500; }
.scroll :is(td, th) { white-space: nowrap; } .scroll :is(#arms td, .matrix th[scope="row"], td .command, td .failed) { white-space: normal; }
thead th { color: var(--dim); background: var(--paper); vertical-align: bottom; position: sticky; top: 0; z-index: 1; }
.n { text-align: right; white-space: nowrap; }
.matrix th[scope="row"] { position: sticky; left: 0; background: var(--paper); z-index: 1; min-width: 8rem; max-width: 17rem; vertical-align: middle;
  }
.matrix thead th:first-child { left: 0; z-index: 2; }
.matrix small { display: block; font-weight: 400; white-space: nowrap; }
.matrix th small { color: var(--dim); white-space: normal; line-height: 1.35; }
.matrix td { text-align: center; min-width: 5.6rem; padding: 0.35rem 0.4rem; vertical-align: middle; border-left: 1px solid var(--paper);
  border-top: 1px solid var(--paper); }
.matrix thead th:not(:first-child) { text-align: center; }
td data, dd data { font-weight: 600; } small data, .n data { font-weight: inherit; }
.q0 { background: var(--q0); } .q1 { background: var(--q1); } .q2 { background: var(--q2); } .q3 { background: var(--q3); }
.q4 { background: var(--q4); } .q5 { background: var(--q5); }
.q6 { background: var(--q6); } .q7 { background: var(--q7); } .q8 { background: var(--q8); }
td:is(.q0, .q1, .q2, .q3, .q4, .q5) { color: var(--on-low); } td:is(.q6, .q7, .q8) { color: var(--on-high); }
td.none { color: var(--dim); }
.matrix .failed { font-weight: 600; }
.shades { display: inline-flex; vertical-align: middle; border: 1px solid var(--line); } .shades i { width: 1.1rem; height: 0.8rem; }
.key { font-size: 0.85rem; max-width: none; }
.unequal { text-decoration: none; font-weight: 600; padding-left: 0.25em; cursor: help; }
p .unequal, th .unequal, figcaption .unequal { color: var(--worse); }
.failed { color: var(--worse); } td[class^="q"] .failed, td[class^="q"] .unequal { color: inherit; } .holds { color: var(--even); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1.75rem 2rem; margin-top: 1rem; }
figure { margin: 0; min-width: 0; } figcaption { font-weight: 600; margin-bottom: 0.3rem; }
.contrast { scroll-margin-top: 1rem; } .contrast:target figcaption { color: var(--accent); }
.sides { display: flex; justify-content: space-between; gap: 1rem; font-size: 0.8rem; margin: 0; max-width: none; }
.sides code { color: inherit; }
.chart { position: relative; min-width: 0; } .chart.difference { height: 8.5rem; } .chart.curve { height: 19rem; }
.chart.cost { height: 26rem; max-width: 60rem; }
canvas { max-width: 100%; }
dl.facts { display: flex; flex-wrap: wrap; gap: 0.35rem 1.15rem; margin: 0.5rem 0; } dl.facts div { min-width: 0; }
dt { color: var(--dim); font-size: 0.75rem; } dd { margin: 0; font-variant-numeric: tabular-nums; }
.keys { display: flex; flex-wrap: wrap; gap: 0.35rem; max-height: 11rem; overflow-y: auto; margin: 0.75rem 0; padding: 2px; }
.keys button { display: inline-flex; align-items: center; gap: 0.45rem; font-size: 0.85rem; padding: 0.1rem 0.6rem; background: none; }
.keys button[aria-pressed="false"] { opacity: 0.55; text-decoration: line-through; } .keys svg { flex: none; }
details { margin: 0.4rem 0; } summary { cursor: pointer; color: var(--ink); width: fit-content; }
.command { display: block; max-width: 60rem; min-width: 22rem; overflow-wrap: anywhere; user-select: all; font-size: 0.8rem; }
.choices { display: flex; flex-wrap: wrap; gap: 0.5rem 1.25rem; }
footer { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 0.5rem; font-size: 0.85rem; }
@media (max-width: 40rem) {
  body { padding: 1rem 0.9rem 2rem; } h1 { font-size: 1.35rem; }
  .verdicts li { grid-template-columns: minmax(0, 1fr); } .chart.cost { height: 22rem; } .chart.curve { height: 16rem; }
  .matrix th[scope="row"] { min-width: 5.5rem; max-width: 8.5rem; padding-left: 0.5rem; } .matrix th[scope="row"] small { display: none; }
}
@media print {
  :root { color-scheme: light; --ink: #1d2430; --paper: #ffffff; --dim: #485162; --line: #d5dae2; --better: #0b5cad; --worse: #a8410a;
    --even: #1f6f5c; --soft: #ffffff; --warn: #ffffff;
    --q0: #f7fafd; --q1: #e3edf7; --q2: #cfe0f0; --q3: #b0d0e6; --q4: #86bbdc; --q5: #5ba1ce; --q6: #2b6fae; --q7: #14539a; --q8: #0a3470;
      --on-low: #1d2430; --on-high: #ffffff; }
  body { font-size: 10pt; max-width: none; padding: 0; } h1 { font-size: 16pt; } h2 { font-size: 12pt; break-after: avoid; }
  nav, button, .choices, .keys button[aria-pressed="false"], details:not([open]) { display: none !important; } .scroll :is(td, th) { white-space: normal; }
  .keys button { display: inline-flex !important; border: 0; }
  .scroll, .scroll:has(.matrix) { overflow: visible; max-height: none; border: 0; width: auto; }
  thead th, .matrix th[scope="row"] { position: static; }
  .chart { height: auto !important; } canvas { width: 100% !important; height: auto !important; } h2 + p { break-after: avoid; }
  h2 { margin-top: 1.5rem; }
  figure, tr, li { break-inside: avoid; } table { font-size: 7.5pt; } th, td { padding: 0.15rem 0.3rem; } .matrix td { min-width: 0; }
  small { font-size: 6.5pt; } .command { min-width: 0; font-size: 6.5pt; }
  .matrix td, .shades i { print-color-adjust: exact; -webkit-print-color-adjust: exact; } .grid { grid-template-columns: 1fr 1fr; }
}
)css";

}  // namespace weft::report::page
