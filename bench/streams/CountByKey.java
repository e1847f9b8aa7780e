import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;

/**
 * Counts the records of a topic by key with Kafka Streams; what is exactly-once about it is in the properties.
 *
 * <p>Arguments: a properties file, the topic, its end offset. Prints the seconds from the first record to the commit of
 * the last one, and the sum of the counts.
 */
public final class CountByKey {
    private static final Duration LIMIT = Duration.ofMinutes(5);

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(Path.of(arguments[0]))) {
            properties.load(reader);
        }
        TopicPartition partition = new TopicPartition(arguments[1], 0);
        long end = Long.parseLong(arguments[2]);
        AtomicLong started = new AtomicLong();
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(partition.topic(), Consumed.with(Serdes.String(), Serdes.ByteArray()))
                .peek((key, value) -> started.compareAndSet(0, System.nanoTime()))
                .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
                .count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts"));
        try (KafkaStreams streams = new KafkaStreams(builder.build(), properties);
                Admin admin = Admin.create(properties)) {
            streams.start();
            awaitCommit(admin, properties.getProperty("application.id"), partition, end);
            double seconds = (System.nanoTime() - started.get()) / 1e9;
            System.out.printf("{\"seconds\":%.3f,\"sum\":%d}%n", seconds, sum(streams));
        }
    }

    private static void awaitCommit(Admin admin, String group, TopicPartition partition, long end) throws Exception {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (committed(admin, group, partition) < end) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("not finished after " + LIMIT);
            }
            Thread.sleep(20);
        }
    }

    private static long committed(Admin admin, String group, TopicPartition partition) {
        try {
            Map<TopicPartition, OffsetAndMetadata> offsets =
                    admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
            OffsetAndMetadata found = offsets.get(partition);
            return found == null ? 0 : found.offset();
        } catch (Exception error) { // the group does not exist yet
            return 0;
        }
    }

    private static long sum(KafkaStreams streams) {
        long total = 0;
        var store = StoreQueryParameters.fromNameAndType("counts", QueryableStoreTypes.<String, Long>keyValueStore());
        try (var rows = streams.store(store).all()) {
            while (rows.hasNext()) {
                total += rows.next().value;
            }
        }
        return total;
    }
}
