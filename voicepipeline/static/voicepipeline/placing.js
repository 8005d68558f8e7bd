/* A long list of clubs or coaches is narrowed by typing a part of a name; without this script it is just long. */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const optionsOf = (holder) => [...holder.children].filter((child) => child.tagName === "OPTION");

/* Leave those whose name, or whose club's name, has every part of what was typed; how many these are. */
function narrow(select, groups, typed) {
  const chosen = select.value;
  const parts = plain(typed).split(/\s+/).filter(Boolean);
  const fits = (holder, option) => parts.every((part) => plain(`${holder.label ?? ""} ${option.text}`).includes(part));
  const found = [];
  for (const [holder, options] of groups) {
    const left = options.filter((option) => option.value && fits(holder, option));
    found.push(...left);
    holder.replaceChildren(...options.filter((option) => !option.value), ...left);
    if (holder !== select && left.length) select.append(holder);
  }
  select.value = parts.length && found.length === 1 ? found[0].value : chosen;
  if (select.selectedIndex < 0) select.value = "";
  return found.length;
}

function addSearch(select) {
  const groups = [select, ...select.querySelectorAll("optgroup")].map((holder) => [holder, optionsOf(holder)]);
  const field = document.createElement("input");
  const status = document.createElement("p");
  field.type = "search";
  field.autocomplete = "off";
  field.className = select.className;
  field.placeholder = "Type a part of the name";
  field.setAttribute("aria-label", "Type a part of the name to shorten the list");
  status.setAttribute("role", "status");
  status.className = "vp-quiet";
  field.addEventListener("input", () => {
    const found = narrow(select, groups, field.value);
    status.textContent = field.value.trim() ? `${found} found` : "";
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    select.focus();
  });
  select.parentElement.before(field, status);
}

for (const select of document.querySelectorAll("select[data-many]")) {
  if (select.options.length > Number(select.dataset.many)) addSearch(select);
}
