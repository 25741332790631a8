// The gallery: searched, filtered, and drawn only where it is on the screen. Every text becomes text, never markup.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const GAP = 12, CARD = 136, CAPTION = 24, AROUND = 3; // px; AROUND: rows beyond the screen that are ready
  const data = JSON.parse(document.getElementById("data").textContent);
  const people = data.people;
  const get = (id) => document.getElementById(id);
  const grid = get("grid"), view = get("view"), search = get("search");
  const cards = new Map(); // place among the shown -> its element
  let shown = people.map((_, n) => n); // places of people
  let current = 0; // among the shown: who has the keyboard's focus
  let columns = 1, cell = CARD, opened = null, chosen = null;

  const make = (tag, className, text) => {
    const one = document.createElement(tag);
    if (className) one.className = className;
    if (text !== undefined) one.textContent = text;
    return one;
  };
  const draw = (tag, attributes, into) => {
    const one = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
    into.append(one);
    return one;
  };
  const sizeOf = (one) => one.size || data.size;
  const nameOf = (one) => (one.id === undefined ? `row ${one.row}` : String(one.id));
  const suspectsOf = (one) => (one.suspects || []).map((n) => data.suspects[n]);
  const labelsOf = (one) => (one.points || []).length;
  const areaOf = (one) => (one.bbox ? one.bbox[2] * one.bbox[3] : 0);
  const scoreOf = (one) => Math.max(0, ...suspectsOf(one).map((found) => found.score));

  // Joints and limbs as lines over a picture of the same size.
  function skeleton(one, { box = false, bold = null } = {}) {
    const [width, height] = sizeOf(one), unit = Math.max(width, height) / 100;
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("aria-hidden", "true");
    if (box && one.box) {
      const [x, y, w, h] = one.box;
      for (const [stroke, dashes] of [["#0c0d10", "none"], ["#ffdd2d", `${2 * unit} ${1.2 * unit}`]])
        draw("rect", { x, y, width: Math.max(w, 0), height: Math.max(h, 0), fill: "none", stroke,
          "stroke-width": 0.7 * unit, "stroke-dasharray": dashes }, svg);
    }
    const points = new Map((one.points || []).map((point) => [point[0], point]));
    data.limbs.forEach(([a, b], n) => {
      const from = points.get(a), to = points.get(b);
      if (!from || !to) return;
      for (const [stroke, more] of [["#0c0d10", 0.9], [data.limbColours[n], 0]])
        draw("line", { x1: from[1], y1: from[2], x2: to[1], y2: to[2], stroke, "stroke-width": (0.9 + more) * unit,
          "stroke-linecap": "round" }, svg);
    });
    // Where more than half of the joints are in question, it is about the person as a whole.
    const odd = new Set(suspectsOf(one).flatMap((found) => (2 * found.joints.length <= points.size ? found.joints : [])));
    for (const [joint, x, y, visibility] of points.values()) {
      const colour = data.colours[joint], large = joint === bold ? 2.6 : 1.5;
      draw("circle", { cx: x, cy: y, r: large * unit, fill: visibility === 2 ? colour : "#0c0d10",
        stroke: visibility === 2 ? "#0c0d10" : colour, "stroke-width": 0.6 * unit }, svg);
      if (odd.has(joint) || joint === bold)
        draw("circle", { cx: x, cy: y, r: 3.6 * unit, fill: "none", stroke: "#ffffff", "stroke-width": 0.7 * unit }, svg);
    }
    return svg;
  }

  function picture(one, lazy) {
    const image = document.createElement("img");
    image.alt = "";
    image.decoding = "async";
    if (lazy) image.loading = "lazy";
    image.src = one.crop;
    return image;
  }

  // What the search looks through, put together once.
  const texts = new Map();
  function textOf(n) {
    if (!texts.has(n)) {
      const one = people[n];
      texts.set(n, [nameOf(one), one.own, one.source, one.image, one.file, one.reason || "kept", one.detail, one.shard,
        one.row === undefined ? "" : `row ${one.row}`, ...suspectsOf(one).flatMap((found) => [found.kind, found.why])]
        .filter((part) => part !== undefined && part !== "").join("\n").toLowerCase());
    }
    return texts.get(n);
  }

  const ORDERS = {
    labels: (a, b) => labelsOf(b) - labelsOf(a),
    few: (a, b) => labelsOf(a) - labelsOf(b),
    large: (a, b) => areaOf(b) - areaOf(a),
    small: (a, b) => areaOf(a) - areaOf(b),
    suspicion: (a, b) => scoreOf(b) - scoreOf(a),
  };

  function fits(one, n, words, fate, joint, least) {
    if (fate === "kept" && one.reason) return false;
    if (fate === "dropped" && !one.reason) return false;
    if (fate === "suspect" && !one.suspects) return false;
    if (fate.startsWith("?") && !suspectsOf(one).some((found) => found.kind === fate.slice(1))) return false;
    if (fate.startsWith("=") && one.reason !== fate.slice(1)) return false;
    if (labelsOf(one) < least) return false;
    if (joint !== "" && !(one.points || []).some((point) => point[0] === Number(joint))) return false;
    return words.every((word) => textOf(n).includes(word));
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fate = get("fate").value, joint = get("joint").value, least = Number(get("least").value) || 0;
    shown = [];
    people.forEach((one, n) => { if (fits(one, n, words, fate, joint, least)) shown.push(n); });
    const order = ORDERS[get("sort").value];
    if (order) shown.sort((a, b) => order(people[a], people[b]) || a - b);
    current = 0;
    for (const card of cards.values()) card.remove();
    cards.clear();
    get("status").textContent = shown.length === people.length
      ? `${people.length.toLocaleString("en")} shown` : `${shown.length.toLocaleString("en")} of ${people.length.toLocaleString("en")} shown`;
    layOut();
  }

  function layOut() {
    const width = grid.clientWidth;
    columns = Math.max(2, Math.floor((width + GAP) / (CARD + GAP)));
    cell = (width - GAP * (columns - 1)) / columns;
    grid.style.height = `${Math.ceil(shown.length / columns) * (cell + CAPTION + GAP)}px`;
    for (const [at, card] of cards) place(card, at);
    render();
  }

  function place(card, at) {
    card.style.width = `${cell}px`;
    card.style.left = `${(at % columns) * (cell + GAP)}px`;
    card.style.top = `${Math.floor(at / columns) * (cell + CAPTION + GAP)}px`;
  }

  // Cards there are only of what is on the screen, and of the one that has the focus.
  function render() {
    const step = cell + CAPTION + GAP, top = grid.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / step) - AROUND) * columns;
    const last = Math.min(shown.length, (Math.ceil((innerHeight - top) / step) + AROUND) * columns);
    for (const [at, card] of cards)
      if ((at < first || at >= last) && at !== current) { card.remove(); cards.delete(at); }
    for (let at = first; at < last; at += 1) cardAt(at);
    if (shown.length) cardAt(current);
  }

  function cardAt(at) {
    if (!cards.has(at)) {
      const card = makeCard(people[shown[at]], at);
      cards.set(at, card);
      place(card, at);
      grid.append(card);
    }
    const card = cards.get(at);
    card.tabIndex = at === current ? 0 : -1;
    return card;
  }

  function makeCard(one, at) {
    const card = make("button", "card");
    card.type = "button";
    if (one.reason) card.classList.add("is-dropped");
    if (one.suspects) card.classList.add("is-suspect");
    const inner = make("span", "shown");
    if (one.crop) inner.append(picture(one, true));
    inner.append(skeleton(one, { box: Boolean(one.reason) }));
    const name = make("span", "name", `${nameOf(one)} `);
    const suspicion = suspectsOf(one)[0];
    name.append(make("small", "", one.reason || (suspicion ? suspicion.kind : `${labelsOf(one)} joints`)));
    card.append(inner, name);
    card.setAttribute("aria-label", `${nameOf(one)}, ${one.reason ? `dropped: ${one.reason}` : "kept"}, ${labelsOf(one)} joints labelled`);
    card.addEventListener("click", () => { move(at, false); open(at); });
    return card;
  }

  function move(at, focus = true) {
    if (!shown.length) return;
    current = Math.min(Math.max(at, 0), shown.length - 1);
    const card = cardAt(current);
    if (focus) { card.focus({ preventScroll: true }); card.scrollIntoView({ block: "nearest", behavior: "instant" }); }
    for (const [other, one] of cards) one.tabIndex = other === current ? 0 : -1;
    render();
  }

  grid.addEventListener("keydown", (event) => {
    const rows = Math.max(1, Math.floor(innerHeight / (cell + CAPTION + GAP)) - 1);
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: rows * columns,
      PageUp: -rows * columns, Home: -current, End: shown.length - 1 - current };
    if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move(current + steps[event.key]);
  });

  // One person's own view.
  function facts(pairs) {
    const list = make("dl");
    for (const [name, value] of pairs)
      if (value !== undefined && value !== "") list.append(make("dt", "", name), make("dd", "", String(value)));
    return list;
  }

  function stage(size, content, caption) {
    const figure = make("figure", "stage"), inner = make("div", "shown");
    inner.style.aspectRatio = size.join(" / ");
    inner.append(...content);
    figure.append(inner, make("figcaption", "", caption));
    return figure;
  }

  // A heatmap of a strip, in its joint's colour; pixels are put together, never read: a page on a disk may not.
  function tint(strip, n, colour) {
    const [width, height] = data.map, canvas = make("canvas");
    canvas.width = width;
    canvas.height = height;
    const pen = canvas.getContext("2d");
    pen.drawImage(strip, n * width, 0, width, height, 0, 0, width, height);
    pen.globalCompositeOperation = "multiply";
    pen.fillStyle = colour;
    pen.fillRect(0, 0, width, height);
    return canvas;
  }

  function overlay(canvas, one, image, maps) {
    const [width, height] = sizeOf(one), scale = Math.max(1, 320 / Math.max(width, height));
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    if (image) pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    pen.fillStyle = "rgba(10, 12, 16, 0.62)";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.globalCompositeOperation = "screen";
    for (const map of maps) pen.drawImage(map, 0, 0, canvas.width, canvas.height);
  }

  const loaded = (image) => image.decode().then(() => image, () => null);

  function heatmaps(one, body) {
    const crop = new Image(), strip = new Image();
    crop.src = one.crop;
    strip.src = one.maps;
    const canvas = make("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "All heatmaps over the crop");
    const many = Math.min(labelsOf(one), Math.floor(60000 / data.map[0]));
    const list = make("div", "maps");
    const panels = (one.points || []).slice(0, many).map(([joint, x, y, visibility]) => {
      const panel = make("button", "map"), own = make("canvas");
      panel.type = "button";
      panel.setAttribute("aria-pressed", "false");
      panel.append(own, make("span", "", data.joints[joint]), make("br"),
        make("small", "", `${visibility === 2 ? "visible" : "hidden"}, x ${x}, y ${y}`));
      panel.addEventListener("click", () => {
        chosen = chosen === joint ? null : joint;
        show();
      });
      list.append(panel);
      return { panel, own, joint };
    });
    body.heat = stage(sizeOf(one), [canvas], "Heatmaps, each in its joint's colour");
    body.panels = [make("h3", "", "Joint by joint"), list];
    Promise.all([loaded(crop), loaded(strip)]).then(([image, maps]) => {
      if (!maps) return;
      const tiles = panels.map(({ joint }, n) => tint(maps, n, data.colours[joint]));
      overlay(canvas, one, image, tiles);
      panels.forEach(({ own }, n) => overlay(own, one, image, [tiles[n]]));
    });
    return (joint) => panels.forEach((one) => one.panel.setAttribute("aria-pressed", String(one.joint === joint)));
  }

  let show = () => {};

  function open(at) {
    opened = at;
    chosen = null;
    const one = people[shown[at]], bar = make("div", "bar"), content = make("div", "body"), body = {};
    const title = make("h2", "", one.id === undefined ? `Entry in row ${one.row}` : `Annotation ${one.id}`);
    title.id = "view-title";
    const badge = make("span", `badge ${one.reason ? "dropped" : "kept"}`, one.reason ? `dropped: ${one.reason}` : "kept");
    bar.append(title, badge);
    for (const [text, label, act] of [["\u2190", "previous", () => step(-1)], ["\u2192", "next", () => step(1)],
      ["Close", "close", () => view.close()]]) {
      const button = make("button", "", text);
      button.type = "button";
      button.setAttribute("aria-label", label);
      button.id = `view-${label}`;
      button.addEventListener("click", act);
      bar.append(button);
    }
    for (const found of suspectsOf(one)) {
      if (!body.whys) { body.whys = make("div", "whys"); content.append(body.whys); }
      const joints = found.joints.map((joint) => data.joints[joint]).join(", ");
      body.whys.append(make("p", "", `${found.kind} (${found.score.toFixed(2)})${joints ? `, ${joints}` : ""}: ${found.why}`));
      const other = people.find((each) => found.other !== null && each.id === found.other);
      if (!other) continue;
      const link = make("a", "", `Look at ${found.other}`);
      link.href = `#${other.key}`;
      body.whys.lastChild.append(" ", link);
    }
    const stages = make("div", "stages"), layers = make("div", "layers");
    content.append(stages);
    show = () => {
      layers.replaceChildren(...(one.crop ? [picture(one, false)] : []), skeleton(one, { box: true, bold: chosen }));
      if (body.press) body.press(chosen);
    };
    if (one.crop || one.points || one.box)
      stages.append(stage(sizeOf(one), [layers], one.crop ? "Crop with joints; dashed: the annotated box" : "Joints and box; no picture"));
    for (const found of suspectsOf(one).filter((each) => each.picture)) {
      const image = make("img");
      image.alt = "";
      image.src = found.picture;
      stages.append(stage([1, 1], [image], `${found.kind}: its surroundings, what is in question ringed`));
    }
    if (one.maps) { body.press = heatmaps(one, body); stages.append(body.heat); }
    stages.append(entryFacts(one));
    if (body.panels) content.append(...body.panels);
    view.replaceChildren(bar, content);
    show();
    if (!view.open) view.showModal();
    view.scrollTop = 0;
    get("view-next").focus();
    history.replaceState(null, "", `#${one.key}`);
  }

  function entryFacts(one) {
    const part = make("div");
    const hidden = (one.points || []).filter((point) => point[3] === 1).length;
    part.append(make("h3", "", data.built ? "In the ledger" : "The annotation"), facts([["row", one.row], ["annotation id", one.id], ["id in the file", one.own],
      ["source", one.source], ["image id", one.image], ["photograph", one.file], [data.built ? "kept" : "would be kept", one.reason ? "no" : "yes"],
      ["reason", one.reason], ["detail", one.detail], ["shard", one.shard],
      ["joints labelled", `${labelsOf(one)} of ${data.joints.length}, ${hidden} of them hidden`],
      ["box", one.bbox && `${one.bbox[2]} x ${one.bbox[3]} px at (${one.bbox[0]}, ${one.bbox[1]})`]]));
    if (data.command) {
      const text = make("p");
      text.append(make("code", "", `${data.command} ${one.id === undefined ? `row${one.row}` : one.id}`));
      part.append(text);
    }
    return part;
  }

  function step(by) {
    const at = opened + by;
    if (at < 0 || at >= shown.length) return;
    move(at, false);
    open(at);
  }

  view.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    step(by);
  });
  view.addEventListener("click", (event) => { if (event.target === view) view.close(); });
  view.addEventListener("close", () => {
    history.replaceState(null, "", "#gallery");
    if (opened !== null && opened < shown.length) move(opened);
    opened = null;
  });

  // Show what one choice of "Show" lets through, whatever else was chosen.
  function only(fate) {
    get("controls").reset();
    get("fate").value = fate;
    filter();
    if (fate) get("gallery").scrollIntoView();
  }

  // Links from above, and addresses with a person in them.
  function follow() {
    const key = decodeURIComponent(location.hash.slice(1));
    if (key.startsWith("suspected:")) { only(`?${key.slice(10)}`); return; }
    const n = people.findIndex((one) => one.key === key);
    if (n < 0) return;
    if (!shown.includes(n)) only("");
    const at = shown.indexOf(n);
    move(at, false);
    open(at);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || view.open || /^(input|select|textarea)$/i.test(event.target.tagName)) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  data.joints.forEach((name, joint) => get("joint").append(new Option(name, joint)));
  let waiting = 0;
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 60); });
  for (const id of ["fate", "joint", "least", "sort"]) get(id).addEventListener("input", filter);
  get("controls").addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    clearTimeout(waiting);
    filter();
    move(0);
  });
  let asked = false;
  addEventListener("scroll", () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; render(); });
  }, { passive: true });
  addEventListener("resize", layOut);
  addEventListener("hashchange", follow);
  get("controls").hidden = false;
  filter();
  follow();
})();
