// Draws the charts that the page describes in #charts, and makes its controls work.
(() => {
  'use strict';
  const ink = 'var(--ink)', soft = 'var(--soft)', line = 'var(--line)', grid = 'var(--grid)', font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif';
  const symbols = ['circle', 'rect', 'triangle', 'diamond'];
  const dashes = ['solid', [7, 4], [2, 3]];
  const colour = s => s.colour < 0 ? 'var(--grey)' : `var(--c${s.colour})`;
  const parse = id => JSON.parse(document.getElementById(id).textContent);
  const charts = parse('charts');
  const hidden = new Set();
  const drawn = new Map(); // chart id -> instance

  // Numbers, as the tables write them.
  const figures = x => {
    if (!x) return '0';
    const digits = 2 - Math.floor(Math.log10(Math.abs(x)) + 1e-12);
    return digits <= 0 ? Math.round(x).toLocaleString('en-US') : String(+x.toFixed(Math.min(digits, 12)));
  };
  const scaled = (x, units, by) => {
    let i = 0;
    while (i + 1 < units.length && Math.abs(x) >= by * 0.9995) { x /= by; i++; }
    return (figures(x) + ' ' + units[i]).trim();
  };
  const percent = (x, digits) => +(100 * x).toFixed(digits) + ' %';
  const writers = {
    percent: x => percent(x, 2),
    ns: x => scaled(x, ['ns', 'µs', 'ms', 's'], 1000),
    bytes: x => scaled(x, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], 1024),
    count: x => scaled(x, ['', 'k', 'M', 'G'], 1000),
    factor: x => figures(x),
    tail: x => percent(1 - 1 / x, Math.max(0, Math.round(Math.log10(x)) - 2)),
  };
  const full = (axis, x) => axis.unit === 'count' ? Math.round(x).toLocaleString('en-US') : writers[axis.unit](x);

  const el = (tag, attrs, ...children) => {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attrs || {})) e.setAttribute(k, v);
    e.append(...children);
    return e;
  };
  const svg = (tag, attrs) => {
    const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v);
    return e;
  };

  // A swatch is the line and the symbol of a series.
  const swatch = (s, into) => {
    const box = into || svg('svg', { width: 22, height: 12, 'aria-hidden': 'true', focusable: 'false', class: 'swatch' });
    const dash = dashes[s.dash] === 'solid' ? '' : dashes[s.dash].join(' ');
    box.append(svg('line', { x1: 0, x2: 22, y1: 6, y2: 6, stroke: colour(s), 'stroke-width': 2, 'stroke-dasharray': dash }));
    const shapes = {
      circle: { d: 'M7.5 6a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z' }, rect: { d: 'M8 3h6v6h-6z' },
      triangle: { d: 'M11 2l4 7.5h-8z' }, diamond: { d: 'M11 1.5l4.5 4.5l-4.5 4.5l-4.5-4.5z' },
    };
    if (s.symbol >= 0) box.append(svg('path', { ...shapes[symbols[s.symbol]], fill: colour(s) }));
    return box;
  };

  const limits = (c, which, at) => {
    let low = Infinity, high = -Infinity;
    for (const s of c.series) for (const p of s.points) for (const x of at.map(i => p[i])) {
      if (x !== undefined) { low = Math.min(low, x); high = Math.max(high, x); }
    }
    for (const x of which === 'x' ? [...(c.zone || []), ...(c.lines || []).map(l => l.at)] : []) { low = Math.min(low, x); high = Math.max(high, x); }
    return [low, high];
  };

  // Log axes get ticks at powers of ten, or at 1, 2 and 5 of each if they are few.
  const ticks = (low, high) => {
    const all = [];
    const decades = Math.log10(high / low);
    const steps = decades < 0.35 ? [1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2, 2.2, 2.4, 2.6, 2.8, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9] : decades < 1.1 ? [1, 1.5, 2, 3, 4, 5, 7] : decades < 3 ? [1, 2, 5] : [1];
    for (let e = Math.floor(Math.log10(low)) - 1; e <= Math.log10(high) + 1; e++) for (const s of steps) {
      const t = s * 10 ** e;
      if (t >= low * 0.9999 && t <= high * 1.0001) all.push(+t.toPrecision(12));
    }
    return all;
  };

  const base = axis => ({
    name: axis.name, nameLocation: 'middle', nameTextStyle: { color: soft, fontFamily: font, fontSize: 12 },
    axisLine: { show: true, lineStyle: { color: line } }, axisTick: { show: true, lineStyle: { color: line } },
    splitLine: { show: true, lineStyle: { color: grid } },
    axisLabel: { color: soft, fontFamily: font, fontSize: 12, hideOverlap: true, formatter: x => writers[axis.unit](x) },
  });
  // A log axis is a linear one of logarithms, whose ticks are chosen here.
  const position = (axis, x) => axis.log ? Math.log10(x) : x;
  const scale = (c, which, at, pad) => {
    const axis = c[which];
    let [low, high] = limits(c, which, at);
    if (!(low <= high)) [low, high] = axis.log ? [1, 10] : [0, 1];
    if (axis.min) low = Math.min(low, axis.min);
    if (axis.max) high = axis.max;
    const a = base(axis);
    if (!axis.log) {
      if (axis.zero) low = Math.min(low, 0);
      if (axis.unit === 'bytes' && high > 0) {
        const unit = 1024 ** Math.floor(Math.log2(high) / 10), raw = high / unit / 5, power = 10 ** Math.floor(Math.log10(raw));
        const step = [1, 2, 2.5, 5, 10].map(n => n * power * unit).find(n => n * 5 >= high);
        return { ...a, type: 'value', min: 0, max: Math.ceil(high / step) * step, interval: step };
      }
      return { ...a, type: 'value', scale: !axis.zero, min: axis.zero ? low : undefined, max: axis.max || undefined, splitNumber: 5 };
    }
    if (high / low < 1.02) { low /= 1.2; high *= 1.2; }
    const room = (high / low) ** pad;
    const marks = ticks(low / room, high * room).map(Math.log10);
    return {
      ...a, type: 'value', min: Math.log10(low / room), max: Math.log10(high * room),
      axisTick: { ...a.axisTick, customValues: marks },
      axisLabel: { ...a.axisLabel, customValues: marks, formatter: x => writers[axis.unit](10 ** x) },
    };
  };

  const visible = c => c.series.filter(s => !s.cache || !hidden.has(s.cache));
  const escape = text => text.replace(/[&<>"']/g, ch => `&#${ch.charCodeAt(0)};`);
  const tip = (title, rows) => `<div class="tip"><b>${escape(title)}</b>` + rows.map(([s, text]) => `<span>${swatch(s).outerHTML}${escape(s.name)}<i>${escape(text)}</i></span>`).join('') + '</div>';
  const tooltip = {
    confine: true, backgroundColor: 'transparent', padding: 0, borderWidth: 0, extraCssText: 'box-shadow: none',
    textStyle: { color: 'var(--ink)', fontFamily: font }, transitionDuration: 0,
  };
  const vertical = c => c.lines || c.zone ? {
    markLine: {
      silent: true, symbol: 'none', data: (c.lines || []).map(l => ({ xAxis: position(c.x, l.at), name: l.name })),
      lineStyle: { color: soft, type: 'solid', width: 1 }, label: { show: true, position: 'start', formatter: p => p.name, color: soft, fontFamily: font, fontSize: 12 }, animation: false,
    },
    markArea: c.zone ? {
      silent: true, itemStyle: { color: 'var(--zone)' }, animation: false,
      label: { color: 'var(--zone-ink)', position: 'top', distance: 3, fontFamily: font, fontSize: 12 },
      data: [[{ xAxis: position(c.x, c.zone[0]), name: c.zoned }, { xAxis: position(c.x, c.zone[1]) }]],
    } : undefined,
  } : {};

  // Values that are at least the gap apart, as near to the given ones as it gets, between low and high.
  const spread = (at, gap, low, high) => {
    const order = at.map((y, i) => [y, i]).sort((a, b) => a[0] - b[0]);
    gap = Math.min(gap, (high - low) / Math.max(1, at.length - 1));
    let groups = order.map(([y, i]) => ({ y, of: [i], want: [y] }));
    const settle = g => {
      const n = g.of.length, mean = g.want.reduce((a, b, k) => a + b - k * gap, 0) / n;
      g.y = Math.max(low, Math.min(high - (n - 1) * gap, mean));
    };
    for (let merged = true; merged;) {
      merged = false;
      groups.forEach(settle);
      for (let k = 0; k + 1 < groups.length; k++) {
        const a = groups[k], b = groups[k + 1];
        if (a.y + a.of.length * gap > b.y + 1e-6) {
          a.of.push(...b.of);
          a.want.push(...b.want);
          groups.splice(k + 1, 1);
          merged = true;
          break;
        }
      }
    }
    const out = [];
    for (const g of groups) g.of.forEach((i, k) => { out[i] = g.y + k * gap; });
    return out;
  };
  // The names of the lines at their right ends, apart from each other.
  const ends = (c, all) => ({
    type: 'custom', name: 'names', silent: true, z: 4, tooltip: { show: false }, clip: false, data: [[position(c.x, all[0]?.points.at(-1)[0]), position(c.y, all[0]?.points.at(-1)[1])]],
    renderItem: (params, api) => {
      const box = params.coordSys, right = box.x + box.width;
      const from = all.map(s => { const p = s.points.at(-1); return api.coord([position(c.x, p[0]), position(c.y, p[1])]); });
      const y = spread(from.map(p => p[1]), 15, box.y + 6, box.y + box.height - 2);
      return {
        type: 'group', children: all.flatMap((s, i) => [
          { type: 'polyline', shape: { points: [[from[i][0] + 5, from[i][1]], [right + 6, from[i][1]], [right + 14, y[i]]] }, style: { stroke: colour(s), lineWidth: 1, opacity: 0.6, fill: 'none' } },
          { type: 'text', style: { x: right + 18, y: y[i], text: s.name, fill: colour(s), font: `12px ${font}`, verticalAlign: 'middle', width: 190, overflow: 'truncate' } },
        ]),
      };
    },
  });

  // Lines from left to right.
  const kinds = {
    lines(c, width) {
      const y = scale(c, 'y', [1, 2, 3], 0.03), x = scale(c, 'x', [0], 0);
      const all = visible(c), narrow = width < 560;
      const longest = Math.max(0, ...all.map(s => s.name.length));
      const xy = p => [position(c.x, p[0]), position(c.y, p[1])];
      const bands = all.filter(s => s.points.some(p => p.length > 2)).map(s => ({
        type: 'custom', name: s.name, silent: true, z: 1, tooltip: { show: false }, data: [[...xy(s.points[0])]], clip: true,
        renderItem: (params, api) => {
          const edge = i => s.points.map(p => api.coord([position(c.x, p[0]), position(c.y, p.length > 2 ? p[i] : p[1])]));
          return { type: 'polygon', shape: { points: [...edge(3), ...edge(2).reverse()] }, style: { fill: colour(s), opacity: 0.18 } };
        },
      }));
      return {
        grid: { left: 68, right: narrow ? 14 : Math.min(230, 36 + 7 * longest), top: 14, bottom: 48 },
        xAxis: { ...x, nameGap: 30 }, yAxis: { ...y, nameGap: 52 },
        tooltip: {
          ...tooltip, trigger: 'axis', axisPointer: { type: 'line', lineStyle: { color: soft } },
          formatter: items => {
            const lines = items.filter(i => i.seriesType === 'line');
            if (!lines.length) return '';
            const at = lines[0].value[0];
            const rows = lines.filter(i => i.value[0] === at).map(i => {
              const s = all.find(s => s.name === i.seriesName), p = s.points[i.dataIndex];
              return [s, full(c.y, p[1]) + (p.length > 2 ? ` (${full(c.y, p[2])}–${full(c.y, p[3])})` : ''), p[1]];
            }).sort((a, b) => b[2] - a[2]);
            return tip(full(c.x, c.x.log ? 10 ** at : at), rows);
          },
        },
        series: [...bands, ...all.map(s => ({
          type: 'line', name: s.name, data: s.points.map(xy), z: s.colour < 0 ? 2 : 3,
          color: colour(s), lineStyle: { color: colour(s), width: s.colour < 0 ? 1.5 : 2, type: dashes[s.dash] }, itemStyle: { color: colour(s) },
          symbol: s.symbol < 0 ? 'none' : symbols[s.symbol], symbolSize: 7, showSymbol: s.symbol >= 0 && s.points.length <= 60,
          emphasis: { disabled: true },
        })), ...narrow || !all.length ? [] : [ends(c, all.filter(s => s.points.length))]],
      };
    },

    ranges(c, width) {
      const all = visible(c);
      const x = scale(c, 'x', [0, 2, 3], 0.06);
      const left = Math.min(width * 0.4, 24 + 7.2 * Math.max(0, ...all.map(s => s.name.length)));
      return {
        grid: { left, right: 26, top: 22, bottom: 48 },
        xAxis: { ...x, nameGap: 30 },
        yAxis: {
          type: 'category', inverse: true, data: all.map(s => s.name), axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: true, lineStyle: { color: grid } },
          axisLabel: { color: ink, fontFamily: font, fontSize: 13, width: left - 14, overflow: 'truncate', interval: 0 },
        },
        tooltip: { ...tooltip, trigger: 'item', formatter: i => { const s = all[i.dataIndex], p = s && s.points[0]; return s ? tip(c.title, [[s, `${full(c.x, p[0])} (${full(c.x, p[2])}–${full(c.x, p[3])})`]]) : ''; } },
        series: [{
          type: 'custom', name: c.title, data: all.map((s, i) => [position(c.x, s.points[0][0]), i]), z: 3, ...vertical(c),
          renderItem: (params, api) => {
            const s = all[params.dataIndex], p = s.points[0], at = (x) => api.coord([position(c.x, x), params.dataIndex]);
            const [m, y] = at(p[0]), [low] = at(p[2]), [high] = at(p[3]), stroke = { stroke: colour(s), lineWidth: 2, fill: 'none' };
            return {
              type: 'group', children: [
                { type: 'rect', shape: { x: params.coordSys.x, y: y - 11, width: params.coordSys.width, height: 22 }, style: { fill: 'transparent' } },
                { type: 'line', shape: { x1: low, x2: high, y1: y, y2: y }, style: stroke },
                { type: 'line', shape: { x1: low, x2: low, y1: y - 7, y2: y + 7 }, style: stroke },
                { type: 'line', shape: { x1: high, x2: high, y1: y - 7, y2: y + 7 }, style: stroke },
                { type: 'circle', shape: { cx: m, cy: y, r: 4 }, style: { fill: s.faint ? 'var(--card)' : colour(s), stroke: colour(s), lineWidth: 2 } },
              ],
            };
          },
        }],
      };
    },

    strip(c, width) {
      const all = visible(c);
      const x = scale(c, 'x', [0], 0);
      const left = Math.min(width * 0.45, 24 + 7 * Math.max(0, ...all.map(s => s.name.length)));
      const cells = all.flatMap((s, row) => s.points.map((p, i) => [row, i]));
      return {
        grid: { left, right: 22, top: 24, bottom: 48 },
        xAxis: { ...x, min: limits(c, 'x', [0])[0], max: limits(c, 'x', [0])[1], nameGap: 30, splitLine: { show: false } },
        yAxis: {
          type: 'category', inverse: true, data: all.map(s => s.name), axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false },
          axisLabel: { color: ink, fontFamily: font, fontSize: 12, width: left - 14, overflow: 'truncate', interval: 0 },
        },
        tooltip: { ...tooltip, trigger: 'item', formatter: i => { const [row, n] = cells[i.dataIndex] || []; if (row === undefined) return ''; const p = all[row].points[n]; return tip(full(c.x, p[0]), [[all[row], percent(p[1], 1) + ' returned']]); } },
        series: [{
          type: 'custom', name: c.title, data: cells.map(([row, i]) => [all[row].points[i][0], row]), z: 2, clip: true, ...vertical(c),
          renderItem: (params, api) => {
            const [row, i] = cells[params.dataIndex], s = all[row], at = s.points[i][0];
            const step = s.points[1][0] - s.points[0][0];
            const [x0, y] = api.coord([at, row]), [x1] = api.coord([at + step, row]);
            return { type: 'rect', shape: { x: x0, y: y - 8, width: Math.max(1, x1 - x0 + 0.4), height: 16 }, style: { fill: colour(s), opacity: 0.08 + 0.92 * s.points[i][1] } };
          },
        }],
      };
    },

    points(c) {
      const all = visible(c);
      return {
        grid: { left: 68, right: 90, top: 24, bottom: 48 },
        xAxis: { ...scale(c, 'x', [0], 0.15), nameGap: 30 }, yAxis: { ...scale(c, 'y', [1], 0), nameGap: 52 },
        tooltip: { ...tooltip, trigger: 'item', formatter: i => { const s = all.find(s => s.name === i.seriesName); return s ? tip(s.name, [[s, `${full(c.y, s.points[0][1])}, ${full(c.x, s.points[0][0])}`]]) : ''; } },
        series: [{
          type: 'line', name: 'front', step: 'end', silent: true, symbol: 'none', z: 1, tooltip: { show: false }, emphasis: { disabled: true },
          data: all.filter(s => !s.faint).map(s => [position(c.x, s.points[0][0]), position(c.y, s.points[0][1])]), lineStyle: { color: 'var(--grey)', width: 1.5, type: [4, 4] },
        }, ...all.map(s => ({
          type: 'scatter', name: s.name, data: [[position(c.x, s.points[0][0]), position(c.y, s.points[0][1])]], symbol: symbols[s.symbol] || 'circle', symbolSize: 12, z: 3,
          color: colour(s), itemStyle: { color: s.faint ? 'var(--card)' : colour(s), borderColor: colour(s), borderWidth: 2 }, emphasis: { disabled: true },
          label: { show: true, position: 'right', formatter: s.name, color: ink, fontFamily: font, fontSize: 12 }, labelLayout: { moveOverlap: 'shiftY' },
        }))],
      };
    },
  };

  const height = (c, width) => {
    if (c.kind === 'ranges') return 84 + 30 * Math.max(1, visible(c).length);
    if (c.kind === 'strip') return 84 + 22 * Math.max(1, visible(c).length);
    return Math.round(Math.max(260, Math.min(430, width * 0.55)));
  };

  const legend = (c, figure) => {
    const old = figure.querySelector('.legend');
    if (old) old.remove();
    if (c.kind !== 'lines') return;
    const ul = el('ul', { class: 'legend' });
    for (const s of visible(c)) ul.append(el('li', {}, swatch(s), s.name));
    figure.querySelector('.plot').after(ul);
  };

  const draw = (c, width) => {
    const box = document.getElementById(c.id);
    width = width || box.clientWidth;
    if (!width) return;
    let chart = drawn.get(c.id);
    if (!chart) {
      chart = echarts.init(box, null, { renderer: 'svg', width, height: height(c, width) });
      drawn.set(c.id, chart);
    } else {
      chart.resize({ width, height: height(c, width) });
    }
    chart.setOption({ animation: false, backgroundColor: 'transparent', textStyle: { fontFamily: font }, ...kinds[c.kind](c, width) }, { notMerge: true });
    const image = box.querySelector('svg');
    image.setAttribute('role', 'img');
    image.setAttribute('aria-label', `${c.title}. ${c.summary}`);
    image.setAttribute('viewBox', `0 0 ${width} ${height(c, width)}`);
    box.dataset.width = width;
    legend(c, box.closest('figure'));
  };
  const drawAll = width => charts.forEach(c => draw(c, width));

  for (const label of document.querySelectorAll('.shown label')) {
    const input = label.querySelector('input');
    const s = charts.flatMap(c => c.series).find(s => s.cache === input.value);
    if (!s) { label.remove(); continue; }
    swatch({ ...s, symbol: s.symbol < 0 ? s.colour % 4 : s.symbol }, label.querySelector('svg'));
  }
  const boxes = () => [...document.querySelectorAll('.shown input')];
  const refilter = () => {
    hidden.clear();
    for (const b of boxes()) if (!b.checked) hidden.add(b.value);
    drawAll();
  };
  const form = document.querySelector('.shown');
  if (form) form.addEventListener('change', refilter);

  const acts = {
    all: () => { boxes().forEach(b => { b.checked = true; }); refilter(); },
    none: () => { boxes().forEach(b => { b.checked = false; }); refilter(); },
    download: () => {
      const url = URL.createObjectURL(new Blob([JSON.stringify(parse('report'), null, 2) + '\n'], { type: 'application/json' }));
      const a = el('a', { href: url, download: 'report.json' });
      document.body.append(a);
      a.click();
      a.remove();
      setTimeout(() => URL.revokeObjectURL(url), 10000);
    },
    copy: async () => {
      const text = document.getElementById('command').textContent, said = document.getElementById('copied');
      try {
        await navigator.clipboard.writeText(text);
        said.textContent = 'Copied.';
      } catch {
        getSelection().selectAllChildren(document.getElementById('command'));
        said.textContent = 'Selected; copy it with your keyboard.';
      }
    },
  };
  for (const b of document.querySelectorAll('button[data-act]')) b.addEventListener('click', acts[b.dataset.act]);
  const raw = document.querySelector('.raw');
  raw.addEventListener('toggle', () => {
    const pre = document.getElementById('raw');
    if (raw.open && !pre.textContent) pre.textContent = JSON.stringify(parse('report'), null, 2);
  });

  let timer;
  new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const c of charts) {
        const box = document.getElementById(c.id);
        if (box.clientWidth && String(box.clientWidth) !== box.dataset.width) draw(c);
      }
    }, 60);
  }).observe(document.getElementById('main'));
  // On paper a chart is as wide as the text, so that its letters are legible.
  addEventListener('beforeprint', () => drawAll(680));
  addEventListener('afterprint', () => drawAll());
  drawAll();
  document.documentElement.dataset.ready = 'true';
})();
