/* Draws each figure from the data beside it, redraws it for paper, and makes the recipe easy to copy. */
(function () {
  "use strict";
  document.documentElement.classList.add("js");

  var isTouch = window.matchMedia("(pointer: coarse)").matches;
  var options = { displayModeBar: false, doubleClick: "reset", showTips: false };
  var plots = [];
  document.querySelectorAll("script[data-plot]").forEach(function (source) {
    var place = document.getElementById(source.getAttribute("data-plot"));
    var figure = JSON.parse(source.textContent);
    // On a touch screen a drag must scroll the page, not zoom the figure.
    figure.layout.dragmode = isTouch ? false : "zoom";
    Plotly.newPlot(place, figure.data, figure.layout, options);
    plots.push(place);
  });
  // A place changes its width with the window, but also when a table above it brings a scroll bar.
  var watcher = new ResizeObserver(function (entries) {
    entries.forEach(function (entry) { Plotly.Plots.resize(entry.target); });
  });
  plots.forEach(function (place) { watcher.observe(place); });

  // What is folded away on screen is unfolded on paper, and figures take the paper's width.
  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = Array.from(document.querySelectorAll("details:not([open])"));
    folded.forEach(function (part) { part.open = true; });
    plots.forEach(function (place) {
      Plotly.relayout(place, { width: Math.min(place.clientWidth, place.hasAttribute("data-wide") ? 660 : 320), autosize: false });
    });
  });
  window.addEventListener("afterprint", function () {
    folded.forEach(function (part) { part.open = false; });
    plots.forEach(function (place) { Plotly.relayout(place, { width: null, autosize: true }); });
  });

  document.querySelectorAll("[data-copy]").forEach(function (button) {
    var text = document.getElementById(button.getAttribute("data-copy"));
    button.hidden = false;
    button.addEventListener("click", function () {
      window.getSelection().selectAllChildren(text);
      if (!navigator.clipboard) { return; }
      navigator.clipboard.writeText(text.textContent).then(
        function () { button.textContent = "Copied"; },
        function () { button.textContent = "Selected: copy it now"; }
      );
    });
  });
})();
