// The field in which one types to find a language is made by a library, without a name for those who do not see it.
function nameFields() {
  const selects = [...document.querySelectorAll("select.unfold-admin-autocomplete[multiple]")];
  return selects.every((select) => {
    const field = select.nextElementSibling?.querySelector(".select2-search__field");
    const label = document.querySelector(`label[for="${select.id}"]`);
    if (field && label) field.setAttribute("aria-label", label.textContent.trim());
    return field;
  });
}

// The library is now and then slower than the page.
addEventListener("load", () => {
  if (nameFields()) return;
  const watch = new MutationObserver(() => nameFields() && watch.disconnect());
  watch.observe(document.body, { childList: true, subtree: true });
});
