package dev.orderly.messaging;

/**
 * Rows of a service's database that become gauges, see {@link DatabaseGauges}. A service declares one as a
 * bean.
 *
 * @param sql selects three columns: the metric's name with dots ({@code text}), pairs of tag and value
 *     ({@code text[]}), and the number ({@code double precision}). It must not scan a table: it runs every
 *     few seconds, and must have a row for each tag value also when there is nothing to count, or a
 *     dashboard could not tell zero from no answer.
 */
public record GaugeQuery(String sql) {}
