// Send the reply with Ctrl+Enter (or Cmd+Enter). The page works without this script.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form?.id === "answer-form") {
    event.preventDefault();
    event.target.form.requestSubmit(document.getElementById("send-answer"));
  }
});
