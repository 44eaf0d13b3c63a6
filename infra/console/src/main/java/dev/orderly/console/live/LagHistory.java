package dev.orderly.console.live;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** The lag of every group in the last 15 minutes, in memory. */
@ApplicationScoped
class LagHistory {

    static final Duration INTERVAL = Duration.ofSeconds(5);
    private static final int MAX_POINTS = (int) Duration.ofMinutes(15).dividedBy(INTERVAL);

    private final Deque<Point> points = new ArrayDeque<>();

    private record Point(long at, Map<String, Groups.Group> groups) {}

    /** @param lag null where the group did not exist */
    record Series(List<Long> lag, List<Double> seconds) {}

    record History(long everySeconds, List<Long> at, Map<String, Series> groups) {}

    synchronized void add(long at, List<Groups.Group> groups) {
        var byName = new TreeMap<String, Groups.Group>();
        // Without the partitions, which no chart shows.
        groups.forEach(group -> byName.put(group.name(), group.withoutPartitions()));
        points.addLast(new Point(at, byName));
        if (points.size() > MAX_POINTS) {
            points.removeFirst();
        }
    }

    synchronized History history() {
        var names = new TreeSet<String>();
        points.forEach(point -> names.addAll(point.groups.keySet()));
        var series = new TreeMap<String, Series>();
        for (var name : names) {
            var lag = new ArrayList<Long>();
            var seconds = new ArrayList<Double>();
            for (var point : points) {
                var group = point.groups.get(name);
                lag.add(group == null ? null : (Long) group.lag());
                seconds.add(group == null ? null : (Double) group.seconds());
            }
            series.put(name, new Series(lag, seconds));
        }
        return new History(INTERVAL.toSeconds(), points.stream().map(Point::at).toList(), series);
    }
}
