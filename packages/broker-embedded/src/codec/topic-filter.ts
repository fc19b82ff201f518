/**
 * Whether `filter` is well-formed ([MQTT-4.7.1-2], [MQTT-4.7.1-3], [MQTT-4.7.3-1]): not empty, `#` alone in the last
 * level, `+` alone in a level. U+0000 is refused, and so is U+FFFD, which is what a decoder makes of bytes that are not
 * UTF-8 ([MQTT-1.5.3-1], [MQTT-1.5.3-2]).
 */
export function isTopicFilter(filter: string): boolean {
  if (filter === "" || /[\0\uFFFD]/.test(filter)) return false;
  const levels = filter.split("/");
  return levels.every((level, index) => {
    if (level === "#") return index === levels.length - 1;
    return level === "+" || !/[+#]/.test(level);
  });
}
