// Draws a figure with Plotly, and draws it anew in place when it changes: the same zoom, nothing jumps, nothing twice.

let library; // Plotly as the Python package brings it, fetched once and from this server alone
const zooms = new Map(); // by the name of the paper: the ends of both axes that a reader zoomed to

const plotly = (address) =>
  (library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(address, window.location.origin).href;
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => {
      library = undefined; // the next figure asks again
      reject(new Error("Plotly could not be fetched from the server"));
    });
    document.head.append(script);
  }));

const ends = ({ xaxis, yaxis }) => ({ x: [...xaxis.range], y: [...yaxis.range] });
const axes = ({ x, y }) => ({ "xaxis.range": [...x], "yaxis.range": [...y] }); // copies: Plotly writes into what it is given

const plots = []; // all that are drawn, the one that was asked for last at the end
const KEPT = 12; // figures of pages that were left, so many at most

const room = (parent) => {
  const plot = document.createElement("div");
  plot.setAttribute("role", "figure");
  parent.append(plot);
  new ResizeObserver(() => plot.fit?.()).observe(plot);
  return plot;
};

// A page that is opened again shows the figures that it had, as they were drawn.
const reopened = (parent, data) => {
  const plot = plots.find((each) => !each.isConnected && each.getAttribute("aria-busy") === "false" && alike(each.asked, data));
  if (!plot) return undefined;
  parent.append(plot);
  const shown = data.paper && zooms.get(data.paper);
  if (shown && JSON.stringify(shown) !== JSON.stringify(ends(plot.layout))) window.Plotly.relayout(plot, axes(shown));
  return plot;
};

const keep = (plot) => {
  const before = plots.indexOf(plot);
  if (before >= 0) plots.splice(before, 1);
  plots.push(plot);
  const left = plots.filter((each) => !each.isConnected);
  for (const old of left.slice(0, -KEPT)) {
    plots.splice(plots.indexOf(old), 1);
    window.Plotly?.purge(old);
  }
};

// What a reader does with a drawn figure; `plot.asked` is what the server asked for last.
const listen = (plot, Plotly) => {
  plot.on("plotly_click", ({ points }) => {
    const stands = points[0]?.customdata;
    if (plot.asked.selects === "points" && stands) plot.tell("picked", stands.slice(0, 3));
  });
  plot.on("plotly_selected", (box) => {
    if (plot.asked.selects === "box" && box?.range) plot.tell("boxed", { x: box.range.x, y: box.range.y });
  });
  plot.on("plotly_relayout", (changed) => {
    const { paper } = plot.asked;
    const drawing = plot.getAttribute("aria-busy") === "true"; // then it is `place` that moved the axes, and no reader
    if (paper && !drawing && Object.keys(changed).some((name) => name.includes("axis"))) zooms.set(paper, ends(plot.layout));
  });
  plot.on("plotly_doubleclick", () => {
    if (plot.asked.paper) Plotly.relayout(plot, axes(plot.whole)); // what is drawn after the two clicks begins there too
  });
};

// Frames, labels and titles, which Plotly draws anew by themselves; a change of anything else draws the whole figure.
const LIGHT = ["shapes", "annotations", "title"];

const changes = (plot, spec) => {
  const parts = Object.fromEntries(Object.entries(spec).map(([name, part]) => [name, JSON.stringify(part)]));
  const names = Object.keys({ ...plot.parts, ...parts }).filter((name) => plot.parts?.[name] !== parts[name]);
  plot.parts = parts;
  return names;
};

// Figures that ask for both ends of both axes.
const asks = ({ xaxis, yaxis }) => (xaxis?.range && yaxis?.range ? ends({ xaxis, yaxis }) : undefined);

// Plotly keeps the ends that constrained axes had where the new ones lie beyond them: a sheet 20 s on would be bare paper.
const place = async (plot, Plotly, wanted) => {
  if (wanted && JSON.stringify(wanted) !== JSON.stringify(ends(plot.layout))) await Plotly.relayout(plot, axes(wanted));
};

const draw = async (plot, Plotly) => {
  const { figure, paper, selects, fills } = plot.asked;
  const { data, layout } = JSON.parse(figure);
  delete layout.meta; // words for readers of the file
  if (selects === "box") layout.dragmode = "select";
  if (paper) plot.whole = ends(layout);
  const changed = changes(plot, { ...layout, data });
  if (plot.fit && changed.every((name) => LIGHT.includes(name))) {
    const light = Object.fromEntries(changed.map((name) => [name, layout[name] ?? null]));
    await Plotly.relayout(plot, selects === "box" ? { ...light, selections: [] } : light); // a drawn box has been read
    return;
  }
  const shown = paper && zooms.get(paper);
  if (shown) [layout.xaxis.range, layout.yaxis.range] = [[...shown.x], [...shown.y]];
  const wanted = asks(layout); // copied before Plotly writes into it
  const high = layout.height;
  plot.style.height = fills ? "100%" : `${high}px`;
  const config = { displayModeBar: false, doubleClick: paper ? false : "reset" };
  // Drawn before: its size is known and its config stays; to ask for either has the browser lay out the page at once.
  if (plot.fit && plot.paper === Boolean(paper)) {
    const { width, height } = plot.layout;
    await Plotly.react(plot, data, { ...layout, width, height: fills ? height : high });
    await place(plot, Plotly, wanted);
    return;
  }
  const size = () => ({ width: plot.clientWidth, height: plot.clientHeight });
  await Plotly.react(plot, data, { ...layout, ...size() }, config);
  await place(plot, Plotly, wanted);
  plot.paper = Boolean(paper);
  plot.fit = () => {
    const { width, height } = size();
    if (width && (width !== plot.layout.width || height !== plot.layout.height)) Plotly.relayout(plot, { width, height });
  };
  plot.fit();
};

const alike = (one, other) => ["figure", "paper", "selects", "fills"].every((name) => one?.[name] === other[name]);

export default async ({ data, parentElement, setTriggerValue }) => {
  const plot = parentElement.querySelector("[role=figure]") ?? reopened(parentElement, data) ?? room(parentElement);
  keep(plot);
  const same = alike(plot.asked, data);
  plot.asked = data;
  plot.tell = setTriggerValue;
  plot.setAttribute("aria-label", data.alt);
  if (same) return; // drawn, or about to be
  plot.setAttribute("aria-busy", "true");
  const Plotly = await plotly(data.plotly);
  if (!alike(plot.asked, data)) return; // a newer one is on its way
  const first = !plot.on;
  await draw(plot, Plotly);
  if (first) listen(plot, Plotly);
  if (alike(plot.asked, data)) plot.setAttribute("aria-busy", "false");
};
