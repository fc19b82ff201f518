/**
 * Says whether `filter` is well-formed ([MQTT-4.7.1-2], [MQTT-4.7.1-3], [MQTT-4.7.3-1]): it is not empty, `#` stands
 * alone in the last level, `+` stands alone in a level. U+0000 and U+FFFD are refused ([MQTT-1.5.3-1],
 * [MQTT-1.5.3-2]); a decoder writes U+FFFD for bytes that are not UTF-8.
 */
export function isTopicFilter(filter: string): boolean {
  if (filter === "" || /[\0\uFFFD]/.test(filter)) return false;
  const levels = filter.split("/");
  return levels.every((level, index) => {
    if (level === "#") return index === levels.length - 1;
    return level === "+" || !/[+#]/.test(level);
  });
}
