/** How the page looks: light and dark, wide and narrow. Served as a file of its own. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--text:#17212d;--dim:#54616f;--line:#dfe4ea;--accent:#1a5fae;--good:#0a6a55;--warn:#855000;--bad:#b01c17;--idle:#54616f;--good-bg:#e1f2ec;--warn-bg:#fbeed6;--bad-bg:#fbe4e2;--idle-bg:#eaeef2;--s1:#2b6cb0;--s2:#d98500;--s3:#12876a;--s4:#b3589a;--s5:#8795a5;--track:#e3e8ee}
@media(prefers-color-scheme:dark){:root{--bg:#0e141b;--card:#151d26;--text:#e4eaf0;--dim:#9dabb9;--line:#26313e;--accent:#74b3f3;--good:#62cdac;--warn:#ebba63;--bad:#ff938a;--idle:#9dabb9;--good-bg:#11312a;--warn-bg:#382a10;--bad-bg:#40191a;--idle-bg:#202a35;--s1:#5da3e8;--s2:#e9a53a;--s3:#46c29c;--s4:#d98cc2;--s5:#7d8b9a;--track:#26313e}}
*{box-sizing:border-box}
[hidden]{display:none!important}
html{scrollbar-gutter:stable}
body{margin:0 auto;max-width:92rem;padding:1.25rem clamp(.75rem,2.5vw,2rem) 3rem;background:var(--bg);color:var(--text);font:15px/1.5 Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;font-variant-numeric:tabular-nums}
a{color:var(--accent)}a:focus-visible,input:focus-visible,select:focus-visible,[tabindex]:focus-visible,button:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:3px}
header.top{display:flex;flex-wrap:wrap;align-items:baseline;gap:.25rem 1.25rem;margin-bottom:1rem}
h1{margin:0;font-size:1.25rem;letter-spacing:-.01em}h1 code{font-size:1.1em}h2{margin:0 0 .6rem;font-size:1rem}
h1 a{color:inherit;text-decoration:none}
.clock{margin-left:auto;color:var(--dim);min-width:20ch;text-align:right}
.live{display:inline-flex;align-items:center;gap:.4rem;min-height:1.6rem}
.live::before{content:"";width:.6rem;height:.6rem;border-radius:50%;background:var(--good)}
.live.frozen{padding:.05rem .6rem;border-radius:1rem;background:var(--warn-bg);color:var(--warn);font-weight:600}
.live.frozen::before{border-radius:0;background:var(--warn)}
.live.plain{color:var(--dim)}.live.plain::before{background:var(--idle);border-radius:0}
code{font:.94em ui-monospace,SFMono-Regular,"JetBrains Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
small{display:block;color:var(--dim);font-size:.85em}p{margin:.4rem 0}
.dim{color:var(--dim)}.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.idle{color:var(--idle)}
.figure{font-weight:600}.away{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.card{margin:0 0 1rem;padding:1rem 1.1rem;border:1px solid var(--line);border-radius:.6rem;background:var(--card)}
.state{display:inline-flex;align-items:center;gap:.4rem;font-weight:600;white-space:nowrap}
.state svg,.icon{width:1rem;height:1rem;flex:none;fill:currentColor}.state .line,.icon .line{fill:none;stroke:currentColor;stroke-width:1.6}.state .dash{stroke-dasharray:3 2.4}
.state .in,.icon .in{fill:none;stroke:var(--card);stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.chip{display:inline-block;padding:0 .5rem;border-radius:1rem;font-size:.85em;background:var(--idle-bg)}.chip.good{background:var(--good-bg)}.chip.warn{background:var(--warn-bg)}.chip.bad{background:var(--bad-bg)}
ul.tally{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:0;padding:0;list-style:none}.tally li{display:flex;align-items:center;gap:.55rem}.tally b{font-size:1.6rem;line-height:1.2;font-weight:650}
ul.status{margin:.9rem 0 0;padding:.8rem 0 0;border-top:1px solid var(--line);list-style:none}.status li{display:flex;align-items:flex-start;gap:.55rem;color:var(--text)}.status .icon{margin-top:.25rem}.status .good .icon{color:var(--good)}.status .warn .icon{color:var(--warn)}.status .bad .icon{color:var(--bad)}.status .note{padding-left:1.55rem;color:var(--dim)}
form.filter{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end;margin:0 0 .75rem}
.filter label{display:grid;gap:.15rem;color:var(--dim);font-size:.85em}.filter label.text{flex:1 1 16rem;max-width:26rem}
.filter input,.filter select,.filter button{font:inherit;font-size:15px;height:2.3rem;padding:.2rem .6rem;border:1px solid var(--line);border-radius:.4rem;background:var(--card);color:var(--text)}
.filter button{cursor:pointer}.filter output{margin-left:auto;color:var(--dim);align-self:center}
.rows{border:1px solid var(--line);border-radius:.6rem;background:var(--card);overflow:clip}
.rows table,.rows thead,.rows tbody{display:block}
.rows tr{display:grid;grid-template-columns:11.2rem minmax(9.5rem,1.3fr) 9rem 7rem minmax(8.5rem,1fr) minmax(9.5rem,1.1fr) 4.6rem minmax(7rem,1fr);gap:.8rem;padding:.65rem 1rem .65rem .8rem;border-bottom:1px solid var(--line);border-left:.25rem solid transparent}
.none{margin:0;padding:1.2rem 1rem;color:var(--dim)}
.rows .many tr{content-visibility:auto;contain-intrinsic-size:auto 4.6rem}.rows tbody tr:last-child{border-bottom:0}
.rows tr.bad{border-left-color:var(--bad);color:inherit}.rows tr.warn{border-left-color:var(--warn);color:inherit}.rows tr.idle{border-left-color:var(--idle);color:inherit}.rows tr.good{color:inherit}
.rows thead tr{position:sticky;top:0;padding-block:.5rem;background:var(--idle-bg);border-left-color:transparent}.rows th{padding:0;color:var(--dim);font-size:.82em;font-weight:600;text-align:left}
.rows td{padding:0;min-width:0;overflow-wrap:anywhere}.rows td b,.small td b{font-weight:600}
.rows tbody tr:hover{background:color-mix(in srgb,var(--idle-bg) 45%,transparent)}
.spark{display:block;width:100%;max-width:8.5rem;height:1.9rem;border-bottom:1px solid var(--line)}.spark path{fill:var(--s1)}
.meter{display:block;width:100%;height:.3rem;margin-top:.35rem}.meter rect,.shares .rest{fill:var(--track)}.meter .of{fill:var(--s1)}
.shares{display:block;width:100%;max-width:14rem;height:.4rem;margin:.35rem 0 .3rem}.key{width:.6rem;height:.6rem;margin-right:.35rem}
.s1{fill:var(--s1)}.s2{fill:var(--s2)}.s3{fill:var(--s3)}.s4{fill:var(--s4)}.s5{fill:var(--s5)}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr));gap:.9rem 1.25rem;margin:0}.figures dt{color:var(--dim);font-size:.85em}.figures dd{margin:0}.figures b{font-size:1.5rem;line-height:1.25;font-weight:650}
.windows{display:flex;gap:.4rem;flex-wrap:wrap}.windows a{padding:.2rem .7rem;border:1px solid var(--line);border-radius:1rem;color:inherit;text-decoration:none}.windows a[aria-current]{background:var(--accent);border-color:var(--accent);color:var(--card);font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem 1.5rem;margin-top:.9rem}
.charts figure{margin:0;min-width:0}.charts figure:first-child{grid-column:1/-1}.charts figcaption{font-weight:600}.chart{height:13.5rem;overflow:hidden}.charts figure:first-child .chart{height:15.5rem}
.time{display:block;width:100%;height:auto;max-height:14rem}.time text,.graph text{fill:var(--dim);font-size:11px}.time .grid{stroke:var(--line)}.time .line{fill:none;stroke-width:1.6;vector-effect:non-scaling-stroke}
.time .dashed{stroke-dasharray:6 5}.line.s1{stroke:var(--s1)}.line.s2{stroke:var(--s2)}.line.s3{stroke:var(--s3)}.line.s4{stroke:var(--s4)}.line.s5{stroke:var(--s5)}
.mark{stroke-width:1.5;stroke-dasharray:4 3}.mark.bad{stroke:var(--bad);stroke-dasharray:none}.mark.good{stroke:var(--good)}.mark.warn{stroke:var(--warn)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;margin:.2rem 0 0;font-size:.85em;color:var(--dim)}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:0 1rem;align-items:start}
.scroll{overflow:auto;max-height:24rem}table.small{width:100%;border-collapse:collapse}.small th,.small td{padding:.3rem .9rem .3rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}.small th{position:sticky;top:0;background:var(--card);color:var(--dim);font-size:.85em;font-weight:600}.small .number{text-align:right}.small time{white-space:nowrap}.small tr:last-child td{border-bottom:0}
.graph{display:block;max-width:100%;height:auto;margin:0 auto}.graph .link{fill:none;stroke:var(--s1);stroke-opacity:.35}.graph .node rect{fill:var(--idle-bg);stroke:var(--line)}.graph .node text{fill:var(--text);text-anchor:middle;font-weight:600}.graph .node .small{fill:var(--dim);font-weight:400;font-size:10px}.graph .origin rect{fill:var(--card);stroke:var(--accent);stroke-width:2}
footer{display:flex;flex-wrap:wrap;gap:.3rem 1.25rem;margin-top:1.5rem;color:var(--dim);font-size:.9em}
.uplot, .uplot *, .uplot *::before, .uplot *::after {box-sizing: border-box;}.uplot {width: min-content;}.u-title {text-align: center;font-size: 18px;font-weight: bold;}.u-wrap {position: relative;user-select: none;}.u-over, .u-under {position: absolute;}.u-under {overflow: hidden;}.uplot canvas {display: block;position: relative;width: 100%;height: 100%;}.u-axis {position: absolute;}.u-legend {font-size: 14px;margin: auto;text-align: center;}.u-inline {display: block;}.u-inline * {display: inline-block;}.u-inline tr {margin-right: 16px;}.u-legend th {font-weight: 600;}.u-legend th > * {vertical-align: middle;display: inline-block;}.u-legend .u-marker {width: 1em;height: 1em;margin-right: 4px;background-clip: padding-box !important;}.u-inline.u-live th::after {content: ":";vertical-align: middle;}.u-inline:not(.u-live) .u-value {display: none;}.u-series > * {padding: 4px;}.u-series th {cursor: pointer;}.u-legend .u-off > * {opacity: 0.3;}.u-select {background: rgba(0,0,0,0.07);position: absolute;pointer-events: none;}.u-cursor-x, .u-cursor-y {position: absolute;left: 0;top: 0;pointer-events: none;will-change: transform;}.u-hz .u-cursor-x, .u-vt .u-cursor-y {height: 100%;border-right: 1px dashed #607D8B;}.u-hz .u-cursor-y, .u-vt .u-cursor-x {width: 100%;border-bottom: 1px dashed #607D8B;}.u-cursor-pt {position: absolute;top: 0;left: 0;border-radius: 50%;border: 0 solid;pointer-events: none;will-change: transform;background-clip: padding-box !important;}.u-axis.u-off, .u-select.u-off, .u-cursor-x.u-off, .u-cursor-y.u-off, .u-cursor-pt.u-off {display: none;}
.uplot{width:100%;font:inherit;line-height:1.4}.uplot .u-legend{margin:0;text-align:left;font-size:.85rem;color:var(--dim)}.uplot .u-legend tr:first-child .u-marker{display:none}.u-cursor-x,.u-cursor-y{border-color:var(--dim)!important}.now{display:flex;flex-wrap:wrap;gap:.2rem .9rem;align-items:center;margin:0 0 .8rem}
@media(max-width:75rem){
.rows thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.rows tr{grid-template-columns:repeat(auto-fill,minmax(min(100%,15rem),1fr));gap:.35rem 1.25rem;padding:.8rem}
.rows td{display:grid;grid-template-columns:8.2rem 1fr;gap:.6rem}.rows td::before{content:attr(data-name);color:var(--dim);font-size:.85em;padding-top:.1em}
.rows td:nth-child(-n+2){display:block}.rows td:nth-child(-n+2)::before{content:none}.rows .many tr{contain-intrinsic-size:auto 15rem}
}
@media(max-width:30rem){.figures{grid-template-columns:repeat(auto-fill,minmax(7.5rem,1fr))}.small th,.small td{padding-right:.5rem}.small time{white-space:normal}.small code{overflow-wrap:anywhere}.graph{max-width:none}.live{flex-basis:100%}.clock{margin-left:0;text-align:left}.rows td{grid-template-columns:7.2rem 1fr}.filter label{flex:1 1 8rem}.filter label.text{flex-basis:100%;max-width:none}}
@media(max-width:30rem){
#p-changes thead,#p-missing thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
#p-changes tbody tr{display:grid;grid-template-columns:auto 1fr;gap:.1rem .7rem;padding:.4rem 0;border-bottom:1px solid var(--line)}
#p-changes td,#p-missing td{padding:0;border:0}#p-changes td:nth-child(n+3){grid-column:1/-1;display:grid;grid-template-columns:3.4rem 1fr}
#p-changes td:nth-child(n+3)::before{content:attr(data-name);color:var(--dim);font-size:.85em}
#p-missing tbody tr{display:flex;flex-wrap:wrap;gap:.1rem .7rem;padding:.4rem 0;border-bottom:1px solid var(--line)}#p-missing td:last-child::before{content:attr(data-name) " ";color:var(--dim);font-size:.85em}
}
@media(max-width:48rem) and (scripting:none){.charts .chart{height:auto;min-height:13.5rem;overflow-x:auto;direction:rtl}.chart>*{direction:ltr}.time{width:auto;max-width:none;height:11.5rem}}
@media(prefers-reduced-motion:no-preference){.rows tr.new{animation:new 1.2s ease-out}@keyframes new{from{background:var(--idle-bg)}}}
`;
