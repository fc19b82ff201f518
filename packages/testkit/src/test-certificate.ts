/**
 * A self-signed certificate for `127.0.0.1` and `localhost` with its key, valid for a hundred years. It protects
 * nothing, because its key is public.
 */
export const testCertificate = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUVxhsvePIoNXTEoxxPEHt8ZtTeK8wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTEwMjEyMloYDzIxMjYxMDI4
MTAyMTIyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASZjjMjRWEs5/9cL3Vxn8k4X909uR8Zf3wxjNPeKbQGcNLhUaZpr/ng
WERmibeneKa/AyZHWHQe8WIAUmRWgQFjo28wbTAdBgNVHQ4EFgQUatjiVuDkVcKH
nIm8kEPTqT3sarEwHwYDVR0jBBgwFoAUatjiVuDkVcKHnIm8kEPTqT3sarEwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSQAwRgIhAMWDBOwGAjfSYiaNsdfC/nBv7nV2aPRvXSworoMmTDxtAiEA
zHceb16oWafIxXP2BT+/ZLArtbzrt7oUewoGrYAqPw0=
-----END CERTIFICATE-----
`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBopHBcYcJ+w6XEcR
wPHpfGYIIwwXJVVyj6YZ5lnfdf+hRANCAASZjjMjRWEs5/9cL3Vxn8k4X909uR8Z
f3wxjNPeKbQGcNLhUaZpr/ngWERmibeneKa/AyZHWHQe8WIAUmRWgQFj
-----END PRIVATE KEY-----
`,
} as const;
