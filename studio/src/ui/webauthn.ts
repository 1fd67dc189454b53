// The browser's passkeys. The server speaks the JSON of WebAuthn level 3; what the browser wants as bytes is turned here.
type Json = Record<string, unknown>
export type Asked = { token: string; options: { publicKey: Json } }

export function havePasskeys(): boolean {
  return typeof PublicKeyCredential !== 'undefined' && Boolean(navigator.credentials)
}

function bytes(text: string): ArrayBuffer {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'))
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0)).buffer
}

function text(buffer: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')
}

type Descriptor = { type: 'public-key'; id: string }
const descriptors = (list: unknown) => ((list as Descriptor[] | undefined) ?? []).map((item) => ({ ...item, id: bytes(item.id) }))

/** The answer to a server that asked for a new passkey. Throws what the browser throws when somebody says no. */
export async function makePasskey(asked: Asked): Promise<Json> {
  const { publicKey } = asked.options
  const user = publicKey['user'] as { id: string }
  const options = {
    ...publicKey,
    challenge: bytes(String(publicKey['challenge'])),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: descriptors(publicKey['excludeCredentials']),
  } as unknown as PublicKeyCredentialCreationOptions
  const made = (await navigator.credentials.create({ publicKey: options })) as PublicKeyCredential
  const response = made.response as AuthenticatorAttestationResponse
  return whole(made, { clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject) })
}

/** The answer to a server that asked who it is. */
export async function showPasskey(asked: Asked): Promise<Json> {
  const { publicKey } = asked.options
  const options = {
    ...publicKey,
    challenge: bytes(String(publicKey['challenge'])),
    allowCredentials: descriptors(publicKey['allowCredentials']),
  } as unknown as PublicKeyCredentialRequestOptions
  const shown = (await navigator.credentials.get({ publicKey: options })) as PublicKeyCredential
  const response = shown.response as AuthenticatorAssertionResponse
  return whole(shown, {
    clientDataJSON: text(response.clientDataJSON),
    authenticatorData: text(response.authenticatorData),
    signature: text(response.signature),
    ...(response.userHandle ? { userHandle: text(response.userHandle) } : {}),
  })
}

function whole(credential: PublicKeyCredential, response: Json): Json {
  return { id: credential.id, rawId: text(credential.rawId), type: 'public-key', response, clientExtensionResults: {} }
}

/** Somebody closed the browser's own window: nothing went wrong. */
export function saidNo(error: unknown): boolean {
  return error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError')
}
