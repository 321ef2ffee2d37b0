// Passkeys. A form with data-passkey="create" or "enter" has its button hidden until a
// script runs in a browser that knows them. Pressed, it asks data-options for what the
// device is to sign, puts the device's answer into the field "answer", and is sent. Words
// stand in the page: [data-trouble] is shown when nothing came of it.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
const text = (buffer) => buffer && btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

const sign = async (create, options) => {
  options.challenge = bytes(options.challenge)
  for (const list of [options.excludeCredentials, options.allowCredentials]) for (const one of list ?? []) one.id = bytes(one.id)
  if (create) options.user.id = bytes(options.user.id)
  const { id, rawId, type, response: r } = await navigator.credentials[create ? 'create' : 'get']({ publicKey: options })
  const response = { clientDataJSON: text(r.clientDataJSON) }
  if (create) response.attestationObject = text(r.attestationObject)
  else Object.assign(response, { authenticatorData: text(r.authenticatorData), signature: text(r.signature), userHandle: text(r.userHandle) ?? undefined })
  return { id, rawId: text(rawId), type, clientExtensionResults: {}, response }
}

const press = async (form, button, trouble) => {
  button.disabled = true
  trouble && (trouble.hidden = true)
  try {
    const answer = await fetch(form.dataset.options, { headers: { Accept: 'application/json' }, cache: 'no-store' })
    if (!answer.ok) throw new Error(answer.status)
    form.elements.answer.value = JSON.stringify(await sign(form.dataset.passkey === 'create', (await answer.json()).publicKey))
    form.submit()
  } catch {
    button.disabled = false
    trouble && (trouble.hidden = false)
    button.focus()
  }
}

if (window.PublicKeyCredential && isSecureContext) {
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    const button = form.querySelector('button')
    const trouble = form.querySelector('[data-trouble]')
    form.addEventListener('submit', (e) => { e.preventDefault(); press(form, button, trouble) })
    button.hidden = false
  }
}
