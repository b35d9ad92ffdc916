// The counter-examples: operations as bars, one row a client process, the core in front of its context.
"use strict";

(() => {
  const { data, make, html, tickText, ticks, colourOf, faultTip } = sunder;
  const gutter = 64;
  const margin = 24;
  const rowHeight = 34;
  const rowsShown = 14;  // more processes than that start filtered to those of the core

  // Position of every stamp on the axis. "time" is linear; "order" gives each gap between neighbouring stamps room by
  // the logarithm of its length, so that a call of a millisecond stays visible beside a pause of ten seconds.
  const layout = (items, timed, mode, available) => {
    const stamps = [...new Set(items.flatMap((item) => [item.begin, item.end, item.seen]).filter((v) => v !== null))];
    stamps.sort((a, b) => a - b);
    const first = stamps[0];
    const last = stamps[stamps.length - 1];
    const span = last - first || 1;
    if (mode === "time") {
      const pad = span * 0.02;
      const inner = available - gutter - margin - 40;
      return { width: available, stamps, at: (v) => gutter + 12 + ((v - first + pad) / (span + 2 * pad)) * inner };
    }
    const gaps = stamps.slice(1).map((v, i) => v - stamps[i]);
    const smallest = Math.max(Math.min(...gaps, Infinity), span * 1e-9) || 1;
    const weights = gaps.map((gap) => (timed ? 1 + Math.min(2.5, Math.log10(gap / smallest) / 1.6) : 1));
    const total = weights.reduce((a, b) => a + b, 0) || 1;
    const unit = Math.max((available - gutter - margin - 60) / total, 24);
    const places = new Map();
    let x = gutter + 20;
    stamps.forEach((stamp, i) => {
      places.set(stamp, x);
      x += (weights[i] || 0) * unit;
    });
    return { width: Math.max(available, x + margin + 40), stamps, at: (v) => between(stamps, places, v) };
  };

  // A value between two stamps (a fault's edge) lies between their places.
  const between = (stamps, places, value) => {
    if (value <= stamps[0]) return places.get(stamps[0]) - 14;
    if (value >= stamps[stamps.length - 1]) return places.get(stamps[stamps.length - 1]) + (value > stamps[stamps.length - 1] ? 14 : 0);
    const after = stamps.findIndex((stamp) => stamp >= value);
    const [a, b] = [stamps[after - 1], stamps[after]];
    return places.get(a) + ((value - a) / (b - a)) * (places.get(b) - places.get(a));
  };

  const tipOf = (item, timed) => {
    const lines = [`p${item.process} ${item.text}`];
    if (timed) lines.push(`${item.begin.toFixed(6)} – ${item.end === null ? "? (outcome never known)" : item.end.toFixed(6) + " s"}`);
    if (item.node) lines.push("answered by " + item.node);
    if (item.note) lines.push(item.note);
    return lines.join("\n");
  };

  const drawFaults = (svg, placed, height, picture) => {
    if (!picture.timed) return;
    const [first, last] = [placed.stamps[0], placed.stamps[placed.stamps.length - 1]];
    let y = 12;
    for (const fault of data.faults) {
      if (fault.until < first || fault.active > last) continue;
      const left = Math.max(gutter, placed.at(fault.active));
      const right = Math.min(placed.width - 4, placed.at(fault.until));
      const group = make("g", { class: "fault", "data-tip": faultTip(fault) }, svg);
      make("rect", { x: left, y: 0, width: Math.max(2, right - left), height, fill: colourOf(fault.family), "fill-opacity": 0.1 }, group);
      if (y < 40) make("text", { class: "soft", x: left + 5, y }, group, fault.text);
      y += 14;
    }
  };

  const drawItem = (svg, placed, item, y, picture) => {
    const left = placed.at(item.begin);
    const edge = placed.width - 6;
    const right = item.end === null ? edge : Math.max(placed.at(item.end), left + 5);
    const colour = { ok: "var(--ok)", fail: "var(--fail)", info: "var(--info)" }[item.outcome];
    const group = make("g", { class: item.core ? "operation core" : "operation", "data-tip": tipOf(item, picture.timed), opacity: item.core ? 1 : 0.62 }, svg);
    const outline = item.first ? { stroke: "var(--broken)", "stroke-width": 2.5 } : item.core ? { stroke: colour, "stroke-width": 1.5 } : { stroke: "none" };
    // Paper beneath, so that the faults behind do not mix with the outcome's colour.
    const solid = item.end === null ? (item.seen === null ? Math.min(left + 20 + item.label.length * 7, edge - 14) : Math.max(placed.at(item.seen), left + 8)) : right;
    make("rect", { x: left, y, width: solid - left, height: 22, rx: 3, fill: "var(--paper)" }, group);
    if (item.end === null) {
      // Open for ever: solid until the client gave up, then dashes to the edge.
      make("path", { d: `M${edge - 7} ${y + 5}l7 6l-7 6`, fill: "none", stroke: colour, "stroke-width": 1.5 }, group);
      make("line", { x1: solid, x2: edge, y1: y + 11, y2: y + 11, stroke: colour, "stroke-width": 1.5, "stroke-dasharray": "5 4" }, group);
      make("rect", { x: left, y, width: solid - left, height: 22, rx: 3, fill: colour, "fill-opacity": 0.34, ...outline }, group);
    } else {
      make("rect", { x: left, y, width: right - left, height: 22, rx: 3, fill: colour, "fill-opacity": item.core ? 0.42 : 0.3, ...outline }, group);
    }
    let x = left + 5;
    if (item.number > 0) {
      make("circle", { cx: left, cy: y, r: 8, fill: item.first ? "var(--broken)" : "var(--ink)" }, group);
      make("text", { x: left, y: y + 4, "text-anchor": "middle", style: "fill:var(--paper);font-weight:650;font-size:10.5px" }, group, String(item.number));
      x += 7;
    }
    // Inside the bar when it fits, otherwise behind it or before it, otherwise across, as far as the next bar lets it.
    const advance = item.core ? 7 : 6.4;
    const needed = item.label.length * advance;
    const inside = x + needed < solid;
    const behind = Math.max(solid + 4, left + 12);
    const fitsBehind = !inside && behind + needed < item.limit;
    const ahead = !inside && !fitsBehind && item.leads && left - 14 - needed > gutter;
    if (fitsBehind) x = behind;
    if (ahead) x = left - 14;
    const fits = ahead ? item.label.length : Math.floor(((inside ? solid : item.limit) - x) / advance);
    const text = item.label.length <= fits ? item.label : fits >= 5 ? item.label.slice(0, fits - 1) + "…" : "";
    if (text) make("text", { x, y: y + 15.5, "text-anchor": ahead ? "end" : "start", style: item.core ? "font-weight:600" : "" }, group, text);
  };

  const drawAxis = (svg, placed, height, picture, mode) => {
    const y = height - 22;
    make("line", { class: "rule", x1: gutter, x2: placed.width, y1: y, y2: y }, svg);
    const [first, last] = [placed.stamps[0], placed.stamps[placed.stamps.length - 1]];
    if (!picture.timed) {
      make("text", { class: "soft", x: gutter, y: y + 15 }, svg, "order of events →");
      return;
    }
    if (mode === "time") {
      const { values, step } = ticks(first, last || 1, 8);
      for (const value of values) make("text", { class: "soft", x: placed.at(value), y: y + 15, "text-anchor": "middle" }, svg, tickText(value, step) + " s");
      return;
    }
    const gaps = placed.stamps.slice(1).map((stamp, i) => stamp - placed.stamps[i]);
    const digits = Math.min(...gaps, 1) < 0.0009 ? 6 : 3;
    let free = gutter;
    for (const stamp of placed.stamps) {
      const x = placed.at(stamp);
      make("line", { class: "rule", x1: x, x2: x, y1: y, y2: y + 3 }, svg);
      if (x < free) continue;
      make("text", { class: "soft", x, y: y + 15, "text-anchor": x < gutter + 36 ? "start" : "middle" }, svg, `${stamp.toFixed(digits)} s`);
      free = x + 78;
    }
  };

  // How far a label may run beyond its bar: to the next bar of the same process; before it, if it is the first.
  const limitLabels = (items, placed) => {
    const nexts = new Map();
    for (const item of [...items].reverse()) {
      const next = nexts.get(item.process);
      item.limit = next ? placed.at(next.begin) - 10 : placed.width - 8;
      item.leads = true;
      if (next) next.leads = false;
      nexts.set(item.process, item);
    }
  };

  const draw = (state) => {
    const { picture, scroll } = state;
    const items = picture.items.filter((item) => state.shown.has(item.process));
    scroll.replaceChildren();
    if (items.length === 0) {
      html("p", { class: "none" }, scroll, "No process is chosen.");
      return;
    }
    const placed = layout(items, picture.timed, state.mode, Math.max(scroll.clientWidth, 600));
    limitLabels(items, placed);
    const processes = [...new Set(items.map((item) => item.process))].sort((a, b) => a - b);
    const [first, last] = [placed.stamps[0], placed.stamps[placed.stamps.length - 1]];
    const faulty = picture.timed && data.faults.some((fault) => fault.until >= first && fault.active <= last);
    const head = faulty ? 46 : 18;
    const height = head + processes.length * rowHeight + 30;
    // The names stay in view when the picture is wider than the page.
    const names = make("svg", { class: "names", width: gutter - 6, height }, scroll);
    const svg = make("svg", { class: "plot", width: placed.width, height, role: "img", "aria-label": "operations over time" }, scroll);
    drawFaults(svg, placed, height - 22, picture);
    processes.forEach((process, row) => {
      const y = head + row * rowHeight;
      make("line", { class: "grid", x1: gutter, x2: placed.width, y1: y + rowHeight - 6, y2: y + rowHeight - 6 }, svg);
      make("text", { class: "soft", x: gutter - 12, y: y + 16, "text-anchor": "end" }, names, "p" + process);
    });
    for (const core of [false, true]) {
      for (const item of items) {
        if (item.core === core) drawItem(svg, placed, item, head + processes.indexOf(item.process) * rowHeight, picture);
      }
    }
    drawAxis(svg, placed, height, picture, state.mode);
    const error = items.find((item) => item.first);
    state.jump = () => { if (error) scroll.scrollLeft = placed.at(error.begin) - scroll.clientWidth / 2; };
    if (placed.width > scroll.clientWidth) state.jump();
  };

  const tools = (state, box) => {
    const { picture } = state;
    if (picture.items.some((item) => item.first)) {
      html("button", { type: "button" }, box, "jump to first error").addEventListener("click", () => state.jump());
    }
    if (picture.timed) {
      const modes = [["order", "gaps evened out"], ["time", "true time"]].map(([mode, text]) => {
        const button = html("button", { type: "button", "aria-pressed": mode === state.mode }, box, text);
        button.addEventListener("click", () => {
          state.mode = mode;
          for (const [name, other] of modes) other.setAttribute("aria-pressed", name === mode);
          draw(state);
        });
        return [mode, button];
      });
    }
    const all = [...new Set(picture.items.map((item) => item.process))].sort((a, b) => a - b);
    if (all.length > 2) {
      html("span", {}, box, "processes");
      for (const process of all) {
        const button = html("button", { type: "button", "aria-pressed": state.shown.has(process) }, box, "p" + process);
        button.addEventListener("click", () => {
          if (!state.shown.delete(process)) state.shown.add(process);
          button.setAttribute("aria-pressed", state.shown.has(process));
          draw(state);
        });
      }
    }
  };

  for (const element of document.querySelectorAll(".picture")) {
    const picture = data.pictures[Number(element.dataset.picture)];
    if (picture.items.length === 0) continue;
    const all = new Set(picture.items.map((item) => item.process));
    const core = new Set(picture.items.filter((item) => item.core).map((item) => item.process));
    const state = { picture, mode: "order", shown: all.size > rowsShown && core.size > 0 ? core : all, jump: () => {} };
    tools(state, html("div", { class: "tools" }, element));
    state.scroll = html("div", { class: "scroll" }, element);
    draw(state);
    addEventListener("resize", () => draw(state));
    element.dataset.drawn = picture.items.length;
  }
})();
