/* The list of voice notes: rows are ticked, a whole page of them, or all that match. The rows are renewed while one
   looks, so everything listens at the form that holds them. */
{
  const form = document.getElementById("changelist-form");
  const count = document.getElementById("rt-count");
  const all = document.getElementById("rt-all");
  const more = form.querySelector("[data-more]");
  const across = form.elements.namedItem("select_across");
  const boxes = () => [...form.querySelectorAll("input.rt-pick")];
  const picked = () => boxes().filter((box) => box.checked);
  let last = null;
  let shift = false;

  function show() {
    const [total, chosen] = [boxes().length, picked().length];
    const whole = total > 0 && chosen === total;
    if (!whole) {
      across.value = "0";
    }
    const everywhere = across.value === "1";
    const toggle = document.getElementById("action-toggle");
    if (toggle) {
      toggle.setAttribute("aria-label", "Select all voice notes on this page");
      toggle.checked = whole;
      toggle.indeterminate = chosen > 0 && !whole;
    }
    count.textContent = everywhere ? `All ${count.dataset.matching} selected` : `${chosen} of ${total} on this page selected`;
    if (all) {
      all.hidden = !whole || everywhere;
    }
    if (more) {
      more.hidden = !whole;
    }
  }

  function pick(chosen, checked) {
    for (const box of chosen) {
      box.checked = checked;
    }
    show();
  }

  /* From the one ticked before to this one, when it is ticked with Shift. */
  function upTo(box) {
    const order = boxes();
    const [from, to] = [order.indexOf(last), order.indexOf(box)].sort((one, other) => one - other);
    return shift && from >= 0 ? order.slice(from, to + 1) : [box];
  }

  form.addEventListener("click", (event) => {
    shift = event.shiftKey;
  });
  form.addEventListener("change", (event) => {
    if (event.target.id === "action-toggle") {
      pick(boxes(), event.target.checked);
    } else if (event.target.matches("input.rt-pick")) {
      pick(upTo(event.target), event.target.checked);
      last = event.target;
    }
  });
  if (all) {
    all.addEventListener("click", () => {
      across.value = "1";
      show();
      document.getElementById("rt-clear").focus();
    });
  }
  document.getElementById("rt-clear").addEventListener("click", () => {
    pick(boxes(), false);
    const toggle = document.getElementById("action-toggle");
    if (toggle) {
      toggle.focus();
    }
  });

  /* Asked for before a row was ticked, answered after. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "live" && picked().length > 0) {
      event.detail.shouldSwap = false;
    }
  });
  document.addEventListener("htmx:afterSettle", show);
  // A page that was gone back to has its ticks again.
  window.addEventListener("pageshow", show);
  show();
}
