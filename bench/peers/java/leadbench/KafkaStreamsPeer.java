package leadbench;

import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The job in Kafka Streams: exactly once, RocksDB with its cache, a changelog; one thread. */
public final class KafkaStreamsPeer {
    private static final String STORE = "leads";

    public static void main(String[] arguments) throws Exception {
        Job job = Job.read(arguments[0]);
        KafkaStreams streams = new KafkaStreams(topology(job), settings(job));
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        Thread.currentThread().join();
    }

    private static Properties settings(Job job) {
        Properties settings = new Properties();
        settings.put("application.id", job.group);
        settings.put("bootstrap.servers", job.kafka);
        settings.put("processing.guarantee", "exactly_once_v2");
        settings.put("num.stream.threads", "1");
        settings.put("state.dir", job.folder + "/state");
        settings.put("replication.factor", "1");
        settings.put("consumer.auto.offset.reset", "earliest");
        settings.put("producer.linger.ms", "20");
        return settings;
    }

    private static Topology topology(Job job) {
        Serde<Lead> leads = Serdes.serdeFrom(
                (topic, lead) -> lead == null ? null : lead.toBytes(),
                (topic, bytes) -> bytes == null ? null : Lead.ofBytes(bytes));
        Topology topology = new Topology();
        topology.addSource(
                "events",
                Serdes.String().deserializer(),
                Serdes.ByteArray().deserializer(),
                job.topics.toArray(String[]::new));
        topology.addProcessor("fold", () -> new Fold(job), "events");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(STORE), Serdes.String(), leads)
                        .withLoggingEnabled(Map.of())
                        .withCachingEnabled(),
                "fold");
        topology.addSink(
                "changes",
                job.output,
                Serdes.String().serializer(),
                Serdes.ByteArray().serializer(),
                "fold");
        return topology;
    }

    private static final class Fold implements Processor<String, byte[], String, byte[]> {
        private final Event event;
        private ProcessorContext<String, byte[]> context;
        private KeyValueStore<String, Lead> leads;

        Fold(Job job) {
            event = new Event(job);
        }

        @Override
        public void init(ProcessorContext<String, byte[]> given) {
            context = given;
            leads = given.getStateStore(STORE);
        }

        @Override
        public void process(Record<String, byte[]> record) {
            event.read(record.value());
            Lead lead = leads.get(event.leadId);
            if (lead == null) {
                lead = Lead.at(event.occurredAtMs);
            }
            int before = lead.tier;
            if (!lead.fold(event)) {
                return;
            }
            leads.put(event.leadId, lead);
            if (lead.tier != before) {
                context.forward(
                        record.withKey(event.leadId).withValue(lead.change(event, before)));
            }
        }
    }
}
