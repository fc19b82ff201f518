const perPage = 1_000;

/** Every page of a list whose pages begin behind the last item of the one before; without `after` at the first. */
export async function* everyPage(
  read: (limit: number, after?: string) => Promise<readonly string[]>,
): AsyncGenerator<readonly string[], void> {
  for (let after: string | undefined; ; ) {
    const page = await read(perPage, after);
    yield page;
    if (page.length < perPage) return;
    after = page.at(-1);
  }
}
