import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;

/**
 * Counts the entries of the log's topic with Kafka Streams; what is exactly-once about it is in the properties.
 *
 * <p>Arguments: a properties file, subject or key, the topic, its end offset. By subject, each entry is parsed and
 * grouped by its event's subject, as the documentation of Kafka Streams shows it. By key, nothing is parsed: the key is
 * the subject already, so there is no faster way to count. Prints the seconds from the first record to the commit of
 * what followed from the last one, and the sum of the counts.
 */
public final class Count {
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Grouped<String, byte[]> GROUPED =
            Grouped.with("by-subject", Serdes.String(), Serdes.ByteArray());

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        try (var reader = Files.newBufferedReader(Path.of(arguments[0]))) {
            properties.load(reader);
        }
        TopicPartition source = new TopicPartition(arguments[2], 0);
        long end = Long.parseLong(arguments[3]);
        String application = properties.getProperty("application.id");
        AtomicLong started = new AtomicLong();
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, byte[]> entries = builder.stream(
                        source.topic(), Consumed.with(Serdes.String(), Serdes.ByteArray()))
                .peek((key, value) -> started.compareAndSet(0, System.nanoTime()));
        boolean bySubject = arguments[1].equals("subject");
        KGroupedStream<String, byte[]> grouped =
                bySubject ? entries.groupBy((key, value) -> subject(value), GROUPED) : entries.groupByKey(GROUPED);
        grouped.count(Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("counts"));
        try (KafkaStreams streams = new KafkaStreams(builder.build(), properties);
                Admin admin = Admin.create(properties)) {
            streams.start();
            awaitCommit(admin, application, source, end);
            if (bySubject) {
                TopicPartition repartitioned = new TopicPartition(application + "-by-subject-repartition", 0);
                awaitCommit(admin, application, repartitioned, afterLastRecord(admin, repartitioned));
            }
            double seconds = (System.nanoTime() - started.get()) / 1e9;
            System.out.printf(
                    "{\"seconds\":%.3f,\"sum\":%d,\"versions\":{\"Kafka Streams\":\"%s\",\"Java\":\"%s\"}}%n",
                    seconds, sum(streams), version(), System.getProperty("java.version"));
        }
    }

    private static String version() throws IOException {
        Properties found = new Properties();
        try (var own = KafkaStreams.class.getResourceAsStream("/kafka/kafka-streams-version.properties")) {
            found.load(own);
        }
        return found.getProperty("version");
    }

    private static String subject(byte[] entry) {
        try {
            JsonNode parsed = JSON.readTree(entry);
            return parsed.get("event").get("subject").textValue();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** The last offset of a topic that is written in transactions is the marker of a commit. */
    private static long afterLastRecord(Admin admin, TopicPartition partition) throws Exception {
        var options = new ListOffsetsOptions(IsolationLevel.READ_COMMITTED);
        var found = admin.listOffsets(Map.of(partition, OffsetSpec.latest()), options);
        return found.partitionResult(partition).get().offset() - 1;
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
