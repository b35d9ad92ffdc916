// The time-line: charts by Chart.js and lanes of our own on one shared, zoomable axis.
"use strict";

const sunder = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const namespace = "http://www.w3.org/2000/svg";
  // The first family seen gets the first colour; the same in the lanes, the charts and the pictures.
  // No blue: that is the leader's.
  const palette = ["#d1495b", "#8e5ea2", "#d98e04", "#2a9d8f", "#a0522d", "#6a994e", "#c2559d", "#7d7461"];
  const families = [...new Set(data.faults.map((fault) => fault.family))];
  const colourOf = (family) => palette[Math.max(0, families.indexOf(family)) % palette.length];
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // An SVG element; text only ever goes in by textContent.
  const make = (name, attributes, parent, text) => {
    const element = document.createElementNS(namespace, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  };
  const html = (name, attributes, parent, text) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    if (parent) parent.append(element);
    return element;
  };

  // About `count` round values in [begin, end].
  const ticks = (begin, end, count) => {
    const raw = (end - begin) / count;
    const scale = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * scale).find((candidate) => candidate >= raw);
    const values = [];
    for (let i = Math.ceil(begin / step); i * step <= end * (1 + 1e-9); ++i) values.push(i * step);
    return { values, step };
  };
  const tickText = (value, step) => value.toFixed(Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9))));

  // Gives every span the first row in which nothing overlaps it; returns the number of rows.
  const stack = (spans) => {
    const ends = [];
    for (const span of [...spans].sort((a, b) => a.begin - b.begin)) {
      let row = ends.findIndex((end) => end <= span.begin);
      if (row < 0) row = ends.length;
      ends[row] = span.end;
      span.row = row;
    }
    return Math.max(1, ends.length);
  };

  const tip = document.getElementById("tip");
  document.addEventListener("mousemove", (event) => {
    const target = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
    tip.hidden = !target;
    if (!target) return;
    tip.textContent = target.dataset.tip;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.min(event.clientX + 14, innerWidth - box.width - 8) + "px";
    tip.style.top = (event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 18) + "px";
  });

  const faultTip = (fault) => {
    const lines = [fault.text, `active ${fault.active.toFixed(3)} – ${fault.until.toFixed(3)} s, healed ${fault.end.toFixed(3)} s`];
    if (fault.evidence.length > 0) lines.push("evidence: " + fault.evidence.join(", "));
    if (!fault.exercised) lines.push("did not bite" + (fault.reason ? ": " + fault.reason : ""));
    return lines.join("\n");
  };

  const copy = document.getElementById("copy");
  if (copy) {
    copy.addEventListener("click", () => {
      const selection = getSelection();
      selection.selectAllChildren(document.getElementById("replay"));
      // Works from file:// too, where the clipboard interface may be refused.
      const done = document.execCommand("copy");
      copy.textContent = done ? "copied" : "select and copy";
      setTimeout(() => { copy.textContent = "copy"; }, 1500);
    });
  }

  return { data, make, html, ticks, tickText, stack, style, colourOf, families, faultTip };
})();

(() => {
  const root = document.getElementById("timeline");
  if (!root) return;
  const { data, make, html, ticks, tickText, stack, style, colourOf, families, faultTip } = sunder;
  const gutter = 118;  // left of the axis: names of lanes, values of charts
  const margin = 10;   // right of it
  const range = { begin: 0, end: data.end };

  const bar = html("div", { class: "bar" }, root);
  const legend = html("div", { class: "legend" }, bar);
  const reset = html("button", { type: "button", hidden: "" }, bar, "whole run");
  const hint = html("span", {}, bar, "drag to zoom, double-click for the whole run");

  const width = () => root.clientWidth;
  const scale = (time) => gutter + ((time - range.begin) / (range.end - range.begin)) * (width() - gutter - margin);
  const timeAt = (x) => range.begin + ((x - gutter) / (width() - gutter - margin)) * (range.end - range.begin);

  // Faults behind the lines, on the charts' own scale.
  const bands = {
    id: "bands",
    beforeDatasetsDraw(chart) {
      const { ctx, chartArea, scales } = chart;
      ctx.save();
      ctx.beginPath();
      ctx.rect(chartArea.left, chartArea.top, chartArea.right - chartArea.left, chartArea.bottom - chartArea.top);
      ctx.clip();
      for (const fault of data.faults) {
        ctx.globalAlpha = fault.exercised ? 0.13 : 0.05;
        ctx.fillStyle = colourOf(fault.family);
        for (const [begin, end] of fault.standing) {
          const left = scales.x.getPixelForValue(begin);
          const right = scales.x.getPixelForValue(end);
          ctx.fillRect(left, chartArea.top, Math.max(1, right - left), chartArea.bottom - chartArea.top);
        }
      }
      ctx.restore();
    },
  };

  const axes = (title, more) => ({
    x: {
      type: "linear", min: range.begin, max: range.end,
      ticks: { display: false, maxTicksLimit: 16, font: { size: 1 } },
      grid: { color: style("--faint"), drawTicks: false, borderColor: style("--line") },
    },
    y: {
      beginAtZero: true,
      // One width for all: that is what puts every chart and lane on the same axis.
      afterFit: (axis) => { axis.width = gutter; },
      title: { display: true, text: title, color: style("--soft"), font: { size: 12 } },
      ticks: { color: style("--soft"), maxTicksLimit: 6 },
      grid: { color: style("--faint"), borderColor: style("--line"), drawTicks: false },
      ...more,
    },
  });

  const chartOf = (height, datasets, title, more, unit) => {
    const box = html("div", { class: "chart", style: `height:${height}px` }, root);
    const canvas = html("canvas", {}, box);
    return new Chart(canvas, {
      type: "line",
      data: { datasets },
      plugins: [bands],
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, parsing: false, normalized: true,
        layout: { padding: { left: 0, right: margin, top: 6, bottom: 0 } },
        interaction: { mode: "index", intersect: false, axis: "x" },
        plugins: {
          legend: { display: false },
          tooltip: {
            animation: false,
            callbacks: {
              title: (items) => (items.length ? `${items[0].parsed.x.toFixed(3)} s` : ""),
              label: (item) => `${item.dataset.label} ${item.parsed.y.toPrecision(4)} ${unit}`,
            },
          },
        },
        scales: axes(title, more),
      },
    });
  };

  const middles = data.ok.map((_, i) => (i + 0.5) * data.bucket);
  const line = (label, values, name, extra) => ({
    label, borderColor: style(name), backgroundColor: style(name), pointRadius: 0, pointHitRadius: 6, borderWidth: 1.6,
    data: values.map((value, i) => ({ x: middles[i], y: value === null ? NaN : value })), spanGaps: false, ...extra,
  });
  const rate = (counts) => counts.map((count) => count / data.bucket);
  const charts = [];
  if (data.ok.length > 0) {
    const area = (label, counts, name) => line(label, rate(counts), name, { stepped: "middle" });
    const ok = area("ok", data.ok, "--ok");
    charts.push(chartOf(170, [ok, area("fail", data.fail, "--fail"), area("info", data.info, "--info")],
      "operations / s", {}, "/s"));
    const known = [...data.p50, ...data.p99].filter((value) => value !== null && value > 0);
    const decades = {
      type: "logarithmic", beginAtZero: false,
      min: 10 ** Math.floor(Math.log10(Math.min(1, ...known))), max: 10 ** Math.ceil(Math.log10(Math.max(1, ...known))),
      ticks: {
        color: style("--soft"),
        callback: (value) => (Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6) ? `${value} ms` : null),
      },
    };
    charts.push(chartOf(150,
      [line("p50", data.p50, "--p50"), line("p95", data.p95, "--p95"), line("p99", data.p99, "--p99")],
      "latency of ok", decades, "ms"));
    for (const [name, colour] of [["ok", "--ok"], ["fail", "--fail"], ["info", "--info"], ["p50", "--p50"], ["p95", "--p95"], ["p99", "--p99"]]) {
      const entry = html("span", {}, legend);
      html("i", { style: `background:var(${colour})` }, entry);
      entry.append(name);
    }
  }

  const lanes = make("svg", { role: "img", "aria-label": "faults, leader and nodes over time" }, root);
  const rowHeight = 18;

  // A bar with its name in it, or without when it does not fit.
  const span = (parent, y, item, attributes, text, tooltip) => {
    const left = Math.max(scale(item.begin), gutter);
    const right = Math.min(scale(item.end), width() - margin);
    if (right < gutter || left > width() - margin) return;
    const wide = Math.max(2, right - left);
    const group = make("g", { "data-tip": tooltip }, parent);
    make("rect", { x: left, y: y + 2, width: wide, height: rowHeight - 4, rx: 3, ...attributes }, group);
    if (text && wide > 8 + text.length * 6.2) make("text", { x: left + 5, y: y + rowHeight - 5.5, ...(attributes.label || {}) }, group, text);
  };

  const heading = (y, rows, text) => {
    make("text", { x: gutter - 8, y: y + (rows * rowHeight) / 2 + 4, "text-anchor": "end" }, lanes, text);
    make("line", { class: "grid", x1: gutter, x2: width() - margin, y1: y + rows * rowHeight + 1, y2: y + rows * rowHeight + 1 }, lanes);
  };

  const faultLanes = (start) => {
    let y = start;
    for (const family of families) {
      const faults = data.faults.filter((fault) => fault.family === family);
      const rows = stack(faults);
      heading(y, rows, family);
      for (const fault of faults) {
        const top = y + fault.row * rowHeight;
        const colour = colourOf(family);
        const outline = fault.exercised ? {} : { "stroke-dasharray": "3 2" };
        span(lanes, top, { begin: fault.begin, end: fault.end }, { fill: colour, "fill-opacity": fault.exercised ? 0.25 : 0.06, stroke: colour, ...outline }, "", faultTip(fault));
        for (const [begin, end] of fault.standing) {
          span(lanes, top, { begin, end }, { fill: colour, "fill-opacity": fault.exercised ? 0.45 : 0.06 }, "", faultTip(fault));
        }
        span(lanes, top, { begin: fault.active, end: fault.until }, { fill: "none" }, fault.shape || fault.text, faultTip(fault));
      }
      y += rows * rowHeight + 3;
    }
    return y;
  };

  // Operations that were not ok, as cells: a handful beside thousands would be invisible on the chart.
  const outcomeLane = (y, name, counts) => {
    const most = Math.max(0, ...counts);
    if (most === 0) return y;
    heading(y, 1, name);
    counts.forEach((count, i) => {
      if (count === 0) return;
      const begin = i * data.bucket;
      span(lanes, y, { begin, end: begin + data.bucket }, { fill: `var(--${name})`, "fill-opacity": 0.25 + 0.75 * Math.sqrt(count / most) }, "",
        `${count} ${name}\n${begin.toFixed(3)} – ${(begin + data.bucket).toFixed(3)} s`);
    });
    return y + rowHeight + 3;
  };

  const leaderLane = (start) => {
    if (data.leaders.length === 0) return start;
    const rows = stack(data.leaders);
    heading(start, rows, "leader");
    for (const leader of data.leaders) {
      const term = leader.term >= 0 ? ` · term ${leader.term}` : "";
      span(lanes, start + leader.row * rowHeight, leader, { fill: "var(--accent)", "fill-opacity": 0.22, stroke: "var(--accent)" },
        leader.node + (term && ` t${leader.term}`),
        `${leader.node} leads${term}\n${leader.begin.toFixed(3)} – ${leader.end.toFixed(3)} s`);
    }
    return start + rows * rowHeight + 3;
  };

  const nodeLanes = (start) => {
    let y = start;
    for (const node of data.nodes) {
      const down = data.disabled.filter((item) => item.node === node);
      const leads = data.leaders.filter((item) => item.node === node);
      if (down.length === 0 && leads.length === 0 && data.nodes.length > 9) continue;
      heading(y, 1, node);
      span(lanes, y, { begin: 0, end: data.end }, { fill: "var(--faint)" }, "", `${node}: up`);
      for (const item of leads) span(lanes, y, item, { fill: "var(--accent)", "fill-opacity": 0.35 }, "", `${node} leads, term ${item.term}`);
      for (const item of down) {
        const text = item.family === "pause" ? "paused" : "down";
        span(lanes, y, item, { fill: text === "down" ? "var(--ink)" : "var(--soft)", "fill-opacity": text === "down" ? 0.75 : 0.5, label: { style: "fill:var(--paper)" } }, text,
          `${node} ${text} (${item.family})\n${item.begin.toFixed(3)} – ${item.end.toFixed(3)} s`);
      }
      y += rowHeight + 1;
    }
    return y + 2;
  };

  const drawLanes = () => {
    lanes.replaceChildren();
    let y = outcomeLane(outcomeLane(6, "fail", data.fail), "info", data.info);
    if (data.phases.length > 0) {
      heading(y, 1, "phase");
      data.phases.forEach((phase, i) => span(lanes, y, phase, { fill: "var(--soft)", "fill-opacity": i % 2 ? 0.22 : 0.12 }, phase.name,
        `${phase.name}\n${phase.begin.toFixed(3)} – ${phase.end.toFixed(3)} s`));
      y += rowHeight + 3;
    }
    y = nodeLanes(leaderLane(faultLanes(y)));
    const { values, step } = ticks(range.begin, range.end, Math.max(4, Math.floor(width() / 110)));
    make("line", { class: "rule", x1: gutter, x2: width() - margin, y1: y, y2: y }, lanes);
    for (const value of values) {
      make("line", { class: "rule", x1: scale(value), x2: scale(value), y1: y, y2: y + 4 }, lanes);
      make("text", { class: "soft", x: scale(value), y: y + 17, "text-anchor": "middle" }, lanes, tickText(value, step));
    }
    make("text", { class: "soft", x: gutter - 8, y: y + 17, "text-anchor": "end" }, lanes, "seconds");
    lanes.setAttribute("height", y + 22);
  };

  const show = (begin, end) => {
    range.begin = Math.max(0, begin);
    range.end = Math.min(data.end, end);
    for (const chart of charts) {
      chart.options.scales.x.min = range.begin;
      chart.options.scales.x.max = range.end;
      chart.update("none");
    }
    reset.hidden = range.begin === 0 && range.end === data.end;
    drawLanes();
  };

  const crosshair = html("div", { class: "crosshair", hidden: "" }, root);
  const selection = html("div", { class: "selection", hidden: "" }, root);
  let from = null;
  const place = (event) => Math.min(Math.max(event.clientX - root.getBoundingClientRect().left, gutter), width() - margin);
  root.addEventListener("mousedown", (event) => {
    if (event.button === 0 && !(event.target instanceof HTMLButtonElement)) from = place(event);
  });
  root.addEventListener("mousemove", (event) => {
    const x = place(event);
    crosshair.hidden = false;
    crosshair.style.left = x + "px";
    hint.textContent = `${timeAt(x).toFixed(3)} s`;
    if (from === null) return;
    selection.hidden = false;
    selection.style.left = Math.min(from, x) + "px";
    selection.style.width = Math.abs(x - from) + "px";
  });
  addEventListener("mouseup", (event) => {
    if (from === null) return;
    const [left, right] = [from, place(event)].sort((a, b) => a - b);
    from = null;
    selection.hidden = true;
    if (right - left > 6) show(timeAt(left), timeAt(right));
  });
  root.addEventListener("mouseleave", () => {
    crosshair.hidden = true;
    hint.textContent = "drag to zoom, double-click for the whole run";
  });
  root.addEventListener("dblclick", () => show(0, data.end));
  reset.addEventListener("click", () => show(0, data.end));
  addEventListener("resize", drawLanes);

  const recolour = () => {
    for (const chart of charts) {
      chart.data.datasets.forEach((dataset) => {
        const name = { ok: "--ok", fail: "--fail", info: "--info", p50: "--p50", p95: "--p95", p99: "--p99" }[dataset.label];
        dataset.borderColor = dataset.backgroundColor = style(name);
      });
      for (const axis of Object.values(chart.options.scales)) {
        axis.grid.color = style("--faint");
        axis.grid.borderColor = style("--line");
        axis.ticks.color = style("--soft");
        if (axis.title) axis.title.color = style("--soft");
      }
      chart.update("none");
    }
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  matchMedia("print").addEventListener("change", recolour);

  drawLanes();
  root.dataset.charts = charts.length;
})();
