/* Uploading voice notes: one request a file, so that each has its progress and its own answer. */
(() => {
  const form = document.getElementById("upload-form");
  if (!form) {
    return;
  }
  const results = document.getElementById("upload-results");
  const list = document.getElementById("upload-list");
  const summary = document.getElementById("upload-summary");
  const button = form.querySelector("button[type=submit]");
  const files = form.elements.files;
  // unfold would write the name into a field of its own that is not there.
  files.hasChangeListener = true;
  const AT_ONCE = 2;
  const NO_ANSWER = "The connection broke. What had arrived whole may have been accepted: send it again, and you will be told.";
  const REFUSALS = {
    400: "The request was not understood. Load this page again and send it once more.",
    403: "You may have been signed out, or your role has changed. Load this page again and send it once more.",
    413: "It is too large. Send it in shorter parts, or save it as MP3 with a lower bit rate.",
  };

  // --- Who ------------------------------------------------------------------------------------------------------
  const groups = [...form.elements.coach.querySelectorAll("optgroup")];
  function showCoaches() {
    const club = form.elements.club.value ? form.elements.club.selectedOptions[0].text : null;
    const shown = groups.filter((group) => club === null || group.label === club);
    const chosen = form.elements.coach.value;
    groups.forEach((group) => group.remove());
    form.elements.coach.append(...shown);
    form.elements.coach.value = chosen;
    if (form.elements.coach.selectedIndex < 0) {
      form.elements.coach.value = "";
    }
  }
  form.elements.club.addEventListener("change", showCoaches);
  showCoaches();

  // --- One line a file ------------------------------------------------------------------------------------------
  function element(tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  }

  function addLine(name) {
    const line = element("li", "vp-upload-item", "");
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", `Upload of ${name}`);
    line.append(element("span", "vp-upload-name", name), element("span", "vp-label", "Waiting"), bar);
    list.append(line);
    return line;
  }

  function showProgress(line, sent, all) {
    const done = sent >= all;
    line.querySelector("progress").value = all ? sent / all : 1;
    line.querySelector(".vp-label").textContent = done ? "Checking" : `${Math.floor((100 * sent) / all)} %`;
  }

  function showResult(line, item) {
    line.querySelector("progress").remove();
    const label = line.querySelector(".vp-label");
    label.textContent = item.label;
    label.classList.add(`vp-upload-${item.result}`);
    if (item.url) {
      const link = element("a", "vp-link", item.link);
      link.href = item.url;
      line.append(link);
    }
    if (item.message) {
      line.append(element("span", "vp-upload-why", item.message));
    }
    return item.result;
  }

  const refused = (message) => ({ result: "refused", label: "Refused", message });
  const notSent = (message) => ({ result: "refused", label: "Not sent", message });

  // --- Sending --------------------------------------------------------------------------------------------------
  function answerOf(request) {
    try {
      return JSON.parse(request.responseText).items[0] || notSent(NO_ANSWER);
    } catch {
      const message = REFUSALS[request.status] || (request.status < 400 ? REFUSALS[403] : "Something went wrong on our side. Nothing may have been kept: send it again.");
      return notSent(message);
    }
  }

  function send(line, fields) {
    const data = new FormData();
    for (const name of ["csrfmiddlewaretoken", "page", "club", "coach"]) {
      data.append(name, form.elements[name].value);
    }
    for (const [name, value] of Object.entries(fields)) {
      data.append(name, value);
    }
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", location.href);
      request.setRequestHeader("Accept", "application/json");
      request.upload.addEventListener("progress", (event) => showProgress(line, event.loaded, event.total));
      request.addEventListener("load", () => resolve(showResult(line, answerOf(request))));
      request.addEventListener("error", () => resolve(showResult(line, notSent(NO_ANSWER))));
      request.send(data);
    });
  }

  function tooLarge(file) {
    return `It is ${(file.size / 1048576).toFixed(1)} MB; a recording has at most ${form.dataset.mostMegabytes} MB. Send it in shorter parts, or save it as MP3 with a lower bit rate.`;
  }

  async function sendFile(file, line) {
    if (file.size > Number(form.dataset.mostBytes)) {
      return showResult(line, refused(tooLarge(file)));
    }
    return send(line, { files: file });
  }

  const outcomes = []; // of everything sent from this page
  function tell() {
    const count = (result) => outcomes.filter((each) => each === result).length;
    const parts = [[count("accepted"), "accepted"], [count("duplicate"), "already here"], [count("refused"), "refused"]];
    summary.textContent = parts.filter(([number]) => number).map(([number, words]) => `${number} ${words}`).join(", ");
  }

  async function sendAll(jobs) {
    const next = async () => {
      for (let job = jobs.shift(); job; job = jobs.shift()) {
        outcomes.push(await job());
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    tell();
  }

  form.addEventListener("submit", async (event) => {
    const text = form.elements.text.value.trim();
    if (files.files.length === 0 && !text) {
      return; // The server has the words for it.
    }
    event.preventDefault();
    const chosen = [...files.files].map((file) => [file, addLine(file.name)]);
    const jobs = chosen.map(([file, line]) => () => sendFile(file, line));
    if (text) {
      const line = addLine("Typed note");
      jobs.push(async () => {
        const outcome = await send(line, { text: form.elements.text.value });
        if (outcome !== "refused") {
          form.elements.text.value = "";
        }
        return outcome;
      });
    }
    results.hidden = false;
    results.scrollIntoView({ block: "nearest" });
    summary.textContent = "Uploading…";
    button.disabled = true;
    await sendAll(jobs);
    button.disabled = false;
    files.value = "";
  });

  window.addEventListener("beforeunload", (event) => {
    if (button.disabled) {
      event.preventDefault();
    }
  });
})();
