// The operator's answer: Ctrl+Enter (or Cmd+Enter) in the text sends it. The page works without this.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form?.id === "answer-form") {
    event.preventDefault();
    event.target.form.requestSubmit(document.getElementById("send-answer"));
  }
});
