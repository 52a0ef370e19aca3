// Passkeys: binds the one button with data-passkey (add, authenticate or login) to the log-in library's own script.
"use strict";

const passkey = document.querySelector("button[data-passkey]");
if (passkey && window.PublicKeyCredential) {
  const kind = passkey.dataset.passkey;
  const problem = document.getElementById("passkey-problem");
  passkey.hidden = false;
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    problem.hidden = false;
  });
  const ids = { [kind]: passkey.id, credential: passkey.form.elements.credential.id };
  if (passkey.form.elements.passwordless) ids.passwordless = passkey.form.elements.passwordless.id;
  if (document.getElementById("passkey-data")) ids.data = "passkey-data";
  window.allauth.webauthn.forms[`${kind}Form`]({ ids });
}
