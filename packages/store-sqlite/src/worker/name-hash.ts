/** 32 bits of a name (FNV-1a over its UTF-16 units), signed as SQLite stores it. Permanent: it stands in databases. */
export function nameHash(name: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let index = 0; index < name.length; index += 1) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash;
}
