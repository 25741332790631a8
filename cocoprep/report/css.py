"""The page's style: plain, legible, light or dark as the reader's system is."""

CSS = """
:root { color-scheme: light dark; --page: #f4f5f7; --card: #ffffff; --text: #1b1e24; --dim: #5d6470; --rule: #dfe2e7;
  --mark: #eef3f9; --loud: #fff3c9; --loud-edge: #d9a400; --link: #0b5fa5; }
@media (prefers-color-scheme: dark) { :root { --page: #151515; --card: #1f1f1f; --text: #eef0f4; --dim: #a4aab5;
  --rule: #3a3b3e; --mark: #2a2c30; --loud: #3a3115; --loud-edge: #ddaa33; --link: #7cc4ff; } }
/* Charts are drawn on white. Turned over, white becomes the card's colour and every hue stays what it is. */
@media (prefers-color-scheme: dark) { .chart img, .swatch { filter: invert(0.88) hue-rotate(180deg); } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; }
main, header { max-width: 1264px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 6px; overflow-wrap: anywhere; }
h2 { font-size: 20px; line-height: 1.3; margin: 0 0 4px; }
h3 { font-size: 15px; margin: 22px 0 4px; }
p { margin: 4px 0 12px; max-width: 90ch; }
a { color: var(--link); }
.dim, figcaption, small, nav { color: var(--dim); }
nav { margin: 12px 0 0; display: flex; flex-wrap: wrap; gap: 4px 18px; }
.loud { background: var(--loud); border-left: 5px solid var(--loud-edge); border-radius: 4px; padding: 10px 16px;
  margin: 14px 0 0; font-weight: 600; }
.loud p { margin: 2px 0; max-width: none; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 20px 22px 22px;
  margin: 18px 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px; margin: 18px 0 0; }
.tiles div { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 10px 14px; }
.tiles dt { color: var(--dim); font-size: 13px; }
.tiles dd { margin: 0; font-size: 26px; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; }
.scroll { overflow-x: auto; margin: 8px 0 4px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 0 4px 22px; border-bottom: 1px solid var(--rule); font-weight: 400; vertical-align: top; }
thead th { color: var(--dim); font-size: 13px; vertical-align: bottom; }
.figure { text-align: right; white-space: nowrap; }
.text { text-align: left; }
th.text { white-space: nowrap; }
td.text { overflow-wrap: anywhere; min-width: 9ch; }
th:first-child, td:first-child { padding-left: 6px; }
th:last-child, td:last-child { padding-right: 6px; }
.mark-last tbody tr:last-child > *, .mark-first-figure td:nth-child(2) { background: var(--mark); font-weight: 600; }
td b { font-weight: 500; }
td small { display: inline-block; min-width: 4ch; font-size: 12px; }
figure { margin: 14px 0 0; }
figcaption { font-size: 14px; margin-top: 4px; max-width: 90ch; }
img { display: block; max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
.wide img { min-width: 700px; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 8px 40px;
  align-items: start; }
.two table { width: 100%; }
.people { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 370px), 1fr)); gap: 20px 22px;
  margin-top: 14px; }
.people figure { margin: 0; scroll-margin-top: 12px; }
.people img { width: 100%; border-radius: 4px; background: #24272d; }
.people figcaption { font-size: 13px; line-height: 1.4; overflow-wrap: anywhere; }
.people figcaption b { color: var(--text); font-size: 14px; }
figure:target { outline: 3px solid var(--loud-edge); outline-offset: 5px; border-radius: 4px; }
code { font-family: ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.92em; }
dl.kinds { display: grid; grid-template-columns: max-content 1fr; gap: 3px 14px; margin: 8px 0 4px; max-width: 90ch; }
.swatch { display: inline-block; width: 18px; height: 12px; margin-right: 8px; }
.hatched { border: 1px solid #5d6470; background-image:
  repeating-linear-gradient(-45deg, #5d6470 0 1px, transparent 1px 4px); }
details { margin-top: 12px; }
summary { cursor: pointer; color: var(--link); }
dl.kinds dt { font-weight: 600; } dl.kinds dd { margin: 0; }
@media (max-width: 600px) { main, header { padding: 0 10px; } header { padding-top: 16px; }
  section { padding: 14px 12px; } h1 { font-size: 23px; }
  dl.kinds { grid-template-columns: 1fr; } dl.kinds dd { margin-bottom: 6px; } }
@media print { body { background: #fff; } nav { display: none; }
  section { break-inside: avoid-page; border: 0; padding: 0; } }
"""
