/**
 * Says whether `filter` is well-formed ([MQTT-4.7.1-2], [MQTT-4.7.1-3], [MQTT-4.7.3-1]): it is not empty, `#` stands
 * alone in the last level, `+` stands alone in a level. U+0000 is refused ([MQTT-1.5.3-2]).
 */
export function isTopicFilter(filter: string): boolean {
  if (filter === "" || filter.includes("\0")) return false;
  const levels = filter.split("/");
  return levels.every((level, index) => {
    if (level === "#") return index === levels.length - 1;
    return level === "+" || !/[+#]/.test(level);
  });
}
