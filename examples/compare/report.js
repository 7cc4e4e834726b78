// Each pane shows the program that its list names.
for (const pane of document.querySelectorAll(".pane")) {
  const list = pane.querySelector("select"), shown = pane.querySelector("pre");
  const show = () => { shown.innerHTML = document.getElementById(list.value).innerHTML; shown.scrollTop = 0; };
  list.addEventListener("change", show);
  show();
}
