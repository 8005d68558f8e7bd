/* Draws the charts of the page Metrics. Numbers come from the page's JSON, words from the table beneath each chart. */
(() => {
  const HOUR = 3_600_000;
  const LENGTHS = { minute: HOUR / 60, hour: HOUR, day: 24 * HOUR };
  // How far apart times can stand on an axis, in periods.
  const STEPS = { minute: [1, 5, 10, 15, 30], hour: [1, 2, 3, 6, 12, 24, 48, 72], day: [1, 2, 7, 14, 28] };
  const MONDAY = 3; // 1 January 1970 was a Thursday
  const MANY = 48; // markers of so many points would hide their line

  // No two that share a picture look alike without their colours.
  const LOOKS = {
    received: { dash: [], point: "circle" },
    ready: { bar: true },
    failed: { bar: true, hatched: true },
    cost: { bar: true },
    typical: { dash: [], point: "circle" },
    slowest: { dash: [6, 4], point: "triangle" },
    transcription: { dash: [], point: "circle" },
    claims_extraction: { dash: [8, 4], point: "rect" },
    entity_resolution: { dash: [2, 3], point: "triangle" },
    draft_generation: { dash: [10, 3, 2, 3], point: "rectRot" },
  };

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--metrics-${name}`).trim();

  /* --- Units ---------------------------------------------------------------------------------------------------- */
  const plain = (digits) => (value) => value.toLocaleString("en", { maximumFractionDigits: digits });

  const RUNGS = new Map([
    [1, "1 ms"], [10, "10 ms"], [100, "0.1 s"], [1_000, "1 s"], [10_000, "10 s"], [60_000, "1 min"], [600_000, "10 min"],
    [HOUR, "1 h"], [10 * HOUR, "10 h"], [100 * HOUR, "100 h"],
  ]);

  /* Beside one time that is very long all others would lie flat: then the axis goes up by steps that grow. */
  function ladderOf(values, highest) {
    const times = values.filter((value) => value > 0).sort((one, other) => one - other);
    if (!times.length || highest < 20 * times[Math.floor(times.length / 2)]) return null;
    const rungs = [...RUNGS.keys()];
    const first = Math.max(0, rungs.findLastIndex((rung) => rung <= times[0]));
    const last = rungs.findIndex((rung) => rung >= highest);
    return rungs.slice(first, (last < 0 ? rungs.length - 1 : last) + 1);
  }

  /* What an axis counts in: by which milliseconds and shares are divided, how it writes a number, what stands beside. */
  function unitOf(unit, values) {
    const highest = Math.max(0, ...values);
    // Between shares of few nothing is known: a line across the gap would look like a slow rise or fall.
    if (unit === "share") return { divisor: 0.01, write: (value) => `${plain(1)(value)} %`, title: "", apart: true };
    if (unit === "money") {
      const digits = highest >= 10 ? 0 : highest >= 0.1 ? 2 : 4;
      return { divisor: 1, write: (value) => `$${value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`, title: "" };
    }
    if (unit === "count") return { divisor: 1, write: plain(0), title: "", whole: true };
    const ladder = ladderOf(values, highest);
    if (ladder) return { divisor: 1, write: (value) => RUNGS.get(value) ?? "", title: "each line is longer by far", ladder };
    const [divisor, title] = [
      [1, "milliseconds"], [1_000, "seconds"], [60_000, "minutes"], [HOUR, "hours"],
    ].findLast(([size]) => size === 1 || highest >= 2 * size);
    return { divisor, write: plain(2), title };
  }

  /* --- Times ---------------------------------------------------------------------------------------------------- */
  const day = (start) => new Date(start).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const clock = (start) => new Date(start).toISOString().slice(11, 16);

  /* The periods that get a label: whole steps of the UTC clock or of weeks, as many as there is room for. */
  function labelled(grain, starts, width) {
    const room = Math.max(2, Math.floor(width / 64));
    const steps = STEPS[grain];
    const step = steps.find((each) => starts.length / each <= room) || steps[steps.length - 1];
    const offset = grain === "day" && step >= 7 ? MONDAY : 0;
    return starts.map((start) => (Math.round(start / LENGTHS[grain]) + offset) % step === 0);
  }

  const label = (grain, start) => (grain === "day" || (grain === "hour" && start % (24 * HOUR) === 0) ? day(start) : clock(start));

  /* --- Marks ---------------------------------------------------------------------------------------------------- */
  function hatched(stroke) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const pen = tile.getContext("2d");
    pen.strokeStyle = stroke;
    pen.lineWidth = 1.5;
    for (const shift of [-6, 0, 6]) {
      pen.beginPath();
      pen.moveTo(shift, 6);
      pen.lineTo(shift + 6, 0);
      pen.stroke();
    }
    return pen.createPattern(tile, "repeat");
  }

  /* Behind the period that is not over: a shade, and the words where there is room. */
  const runningPeriod = {
    id: "runningPeriod",
    beforeDatasetsDraw(chart, _, { index }) {
      if (index < 0) return;
      const { ctx, chartArea: area, scales: { x } } = chart;
      const width = area.width / chart.data.labels.length;
      const middle = x.getPixelForValue(index);
      ctx.save();
      ctx.fillStyle = color("running");
      ctx.fillRect(middle - width / 2, area.top, width, area.height);
      ctx.fillStyle = color("quiet");
      ctx.font = `11px ${Chart.defaults.font.family}`;
      ctx.textAlign = "right";
      ctx.textBaseline = "bottom";
      ctx.fillText("so far", area.right, area.top - 2);
      ctx.restore();
    },
  };

  /* The same colour where a figure is not final. */
  const faint = (hex) => `${hex}66`;

  /* Of each missing value whether it is only that nothing came to be measured; what nobody counted stays a gap. */
  function bridges(data, counted) {
    const found = data.map(() => false);
    for (let index = 0; index < data.length; index += 1) {
      let end = index;
      while (end < data.length && data[end] === null) end += 1;
      found.fill(counted.slice(index, end).every(Boolean), index, end);
      index = end;
    }
    return found;
  }

  /* --- One picture ---------------------------------------------------------------------------------------------- */
  function dataset(line, unit, running, counted) {
    const look = LOOKS[line.look];
    const stroke = color(line.look);
    const data = line.values.map((value) => (value === null ? null : value / unit.divisor));
    if (look.bar) {
      const fill = look.hatched ? hatched : (colour) => colour;
      const [final, soFar] = [fill(stroke), fill(faint(stroke))];
      return {
        type: "bar", label: line.label, data, borderColor: stroke, order: 2, stack: "one",
        borderWidth: look.hatched ? { top: 1 } : 0, categoryPercentage: 0.9, barPercentage: 0.9, maxBarThickness: 40,
        backgroundColor: ({ dataIndex }) => (dataIndex === running ? soFar : final),
      };
    }
    // A point without neighbours has no line to be seen by.
    const alone = (index) => data[index] !== null && (data[index - 1] ?? null) === null && (data[index + 1] ?? null) === null;
    const bridged = unit.apart ? [] : bridges(data, counted);
    const segment = ({ p0, p1, p0DataIndex, p1DataIndex }) => {
      const missing = [p0.skip && p0DataIndex, p1.skip && p1DataIndex].filter((each) => each !== false);
      if (missing.length) return missing.every((index) => bridged[index]) ? faint(stroke) : "transparent";
      return p1DataIndex === running ? color("quiet") : undefined;
    };
    const size = data.length <= MANY || unit.apart ? 3 : 1.5;
    return {
      type: "line", label: line.label, data, stack: line.look, borderColor: stroke, backgroundColor: stroke, order: 1,
      borderDash: look.dash, borderWidth: data.length <= MANY ? 2 : 1.5, pointStyle: look.point, spanGaps: true, tension: 0,
      pointRadius: data.map((_, index) => (data.length <= MANY || alone(index) ? size : 0)),
      pointHoverRadius: 5, pointHitRadius: 8,
      segment: { borderColor: segment },
    };
  }

  function options(picture, unit, starts, grain, running, words) {
    const quiet = color("quiet");
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    return {
      animation: still ? false : { duration: 250 },
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      layout: { padding: { top: 16 } },
      plugins: {
        legend: { display: false },
        runningPeriod: { index: running },
        tooltip: {
          usePointStyle: true, boxPadding: 4, padding: 10,
          callbacks: {
            title: ([item]) => words(item.dataIndex, 0),
            label: (item) => `${item.dataset.label}: ${words(item.dataIndex, 1 + picture.first + item.datasetIndex)}`,
          },
        },
      },
      scales: {
        x: {
          stacked: true, offset: true, border: { color: color("line") }, grid: { display: false },
          ticks: { color: quiet, autoSkip: false, maxRotation: 0 },
          afterBuildTicks(axis) {
            const shown = labelled(grain, starts, axis.width || axis.chart.width);
            axis.ticks = axis.ticks.filter((tick) => shown[tick.value]);
          },
        },
        y: {
          ...(unit.ladder ? { type: "logarithmic", min: unit.ladder[0], afterBuildTicks: (axis) => { axis.ticks = unit.ladder.map((value) => ({ value })); } } : {}),
          beginAtZero: true, stacked: !unit.ladder, border: { display: false }, grid: { color: color("line") },
          title: { display: Boolean(unit.title), text: unit.title, color: quiet },
          ticks: { color: quiet, precision: unit.whole ? 0 : undefined, maxTicksLimit: 6, callback: unit.write },
        },
      },
    };
  }

  function draw(canvas, data) {
    const { chart: key, plot: number } = canvas.dataset;
    const pictures = data.charts[key];
    const picture = pictures[number];
    const first = pictures.slice(0, number).reduce((sum, each) => sum + each.lines.length, 0);
    const values = picture.lines.flatMap((line) => line.values).filter((value) => value !== null);
    const unit = unitOf(picture.unit, values);
    const running = data.running.indexOf(true);
    const rows = document.querySelector(`table[data-table="${key}"]`).tBodies[0].rows;
    const words = (row, cell) => rows[row].cells[cell].textContent;
    canvas.parentElement.hidden = false;
    return new Chart(canvas, {
      data: {
        labels: data.starts.map((start) => label(data.grain, start)),
        datasets: picture.lines.map((line) => dataset(line, unit, running, data.counted)),
      },
      options: options({ ...picture, first }, unit, data.starts, data.grain, running, words),
      plugins: [runningPeriod],
    });
  }

  /* What a line or a bar looks like, beside its name. */
  function drawKey(canvas) {
    const [width, height, scale] = [28, 12, devicePixelRatio || 1];
    Object.assign(canvas, { width: width * scale, height: height * scale });
    const [pen, look, stroke] = [canvas.getContext("2d"), LOOKS[canvas.dataset.look], color(canvas.dataset.look)];
    pen.scale(scale, scale);
    pen.fillStyle = pen.strokeStyle = stroke;
    if (look.bar) {
      pen.fillStyle = look.hatched ? hatched(stroke) : stroke;
      pen.fillRect(8, 0, 12, height);
      return;
    }
    pen.lineWidth = 2;
    pen.setLineDash(look.dash);
    pen.beginPath();
    pen.moveTo(0, height / 2);
    pen.lineTo(width, height / 2);
    pen.stroke();
    pen.setLineDash([]);
    Chart.helpers.drawPoint(pen, { pointStyle: look.point, radius: 4, borderWidth: 1 }, width / 2, height / 2);
  }

  /* --- The page ------------------------------------------------------------------------------------------------- */
  function start() {
    const source = document.getElementById("metrics-data");
    if (!source) return;
    const data = JSON.parse(source.textContent);
    const canvases = [...document.querySelectorAll("canvas[data-chart]")];
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    const keys = [...document.querySelectorAll("canvas[data-look]")];
    keys.forEach((key) => { key.closest("ul").hidden = false; });
    const drawAll = () => {
      keys.forEach(drawKey);
      return canvases.map((canvas) => draw(canvas, data));
    };
    let charts = drawAll();
    let theme = document.documentElement.classList.contains("dark");
    new MutationObserver(() => {
      const now = document.documentElement.classList.contains("dark");
      if (now === theme) return;
      theme = now;
      charts.forEach((chart) => chart.destroy());
      charts = drawAll();
    }).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  }

  /* --- The clubs ------------------------------------------------------------------------------------------------ */
  const say = (words) => { document.getElementById("clubs-said").textContent = words; };
  const isClubs = (event) => event.detail.target?.id === "clubs";

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isClubs(event)) return;
    event.detail.target.setAttribute("aria-busy", "true");
    say("Adding up the clubs…");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!isClubs(event)) return;
    const clubs = document.getElementById("clubs");
    clubs.removeAttribute("aria-busy");
    const failed = clubs.querySelector(".metrics-failed");
    failed.hidden = event.detail.successful;
    say(event.detail.successful ? clubs.dataset.said : failed.textContent);
    // "Show all" is gone with what it showed; the keyboard goes on in the table.
    if (event.detail.elt.matches("a") && document.activeElement === document.body) {
      clubs.querySelector(".metrics-scroll").focus({ preventScroll: true });
    }
  });

  // Whether pages are dark is known once Alpine has begun; load comes after that.
  addEventListener("load", start);
})();
