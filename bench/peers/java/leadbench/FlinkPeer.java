package leadbench;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeHint;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** The job in Flink: exactly once, RocksDB, incremental checkpoints; one task in this process. */
public final class FlinkPeer {
    private static final long CHECKPOINT_EACH_MS = 2_000;
    private static final long LOOK_EACH_MS = 10;
    private static final AtomicLong FOLDED = new AtomicLong();

    /** A lead's id, and the bytes of its event or tier change. */
    private static final TypeInformation<Tuple2<String, byte[]>> KEYED =
            TypeInformation.of(new TypeHint<Tuple2<String, byte[]>>() {});

    public static void main(String[] arguments) throws Exception {
        Job job = Job.read(arguments[0]);
        StreamExecutionEnvironment flink =
                StreamExecutionEnvironment.getExecutionEnvironment(settings(job));
        flink.setParallelism(1);
        flink.getConfig().enableObjectReuse();
        flink.enableCheckpointing(CHECKPOINT_EACH_MS, CheckpointingMode.EXACTLY_ONCE);
        flink.fromSource(source(job), WatermarkStrategy.noWatermarks(), "events", KEYED)
                .keyBy(event -> event.f0)
                .process(new Fold(job), KEYED)
                .sinkTo(sink(job));
        JobGraph graph = flink.getStreamGraph().getJobGraph();
        MiniCluster cluster = new MiniCluster(
                new MiniClusterConfiguration.Builder()
                        .setConfiguration(settings(job))
                        .withRandomPorts()
                        .build());
        cluster.start();
        cluster.submitJob(graph).get();
        if (job.records > 0) {
            while (FOLDED.get() < job.records) {
                Thread.sleep(LOOK_EACH_MS);
            }
            // Else all would wait for the next checkpoint, which is no matter of throughput.
            cluster.triggerCheckpoint(graph.getJobID()).get();
            tellOffsets(job);
        }
        Thread.currentThread().join();
    }

    /** The source tells its group only between polls, and one without events waits for 10 s. */
    private static void tellOffsets(Job job) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", job.kafka))) {
            Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
            for (String topic : job.topics) {
                for (int partition = 0; partition < job.partitions; partition++) {
                    ends.put(new TopicPartition(topic, partition), OffsetSpec.latest());
                }
            }
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            admin.listOffsets(ends).all().get().forEach(
                    (place, end) -> offsets.put(place, new OffsetAndMetadata(end.offset())));
            admin.alterConsumerGroupOffsets(job.group, offsets).all().get();
        }
    }

    private static Configuration settings(Job job) {
        Configuration settings = new Configuration();
        settings.setString("state.backend.type", "rocksdb");
        settings.setString("execution.checkpointing.incremental", "true");
        settings.setString("execution.checkpointing.dir", "file://" + job.folder + "/checkpoints");
        settings.setString("io.tmp.dirs", job.folder);
        settings.setString("taskmanager.memory.network.max", "128m");
        settings.setString("taskmanager.memory.managed.size", "256m");
        settings.setString("rest.bind-port", "0");
        settings.setString("rest.bind-address", "127.0.0.1");
        return settings;
    }

    private static KafkaSource<Tuple2<String, byte[]>> source(Job job) {
        return KafkaSource.<Tuple2<String, byte[]>>builder()
                .setBootstrapServers(job.kafka)
                .setTopics(job.topics)
                .setGroupId(job.group)
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setDeserializer(new Values())
                .build();
    }

    private static KafkaSink<Tuple2<String, byte[]>> sink(Job job) {
        return KafkaSink.<Tuple2<String, byte[]>>builder()
                .setBootstrapServers(job.kafka)
                .setTransactionalIdPrefix(job.group)
                .setProperty("linger.ms", "20")
                .setProperty("transaction.timeout.ms", "600000")
                .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                .setRecordSerializer(new Changes(job))
                .build();
    }

    private static final class Values
            implements KafkaRecordDeserializationSchema<Tuple2<String, byte[]>> {
        @Override
        public void deserialize(
                ConsumerRecord<byte[], byte[]> record,
                Collector<Tuple2<String, byte[]>> events) {
            String leadId = new String(record.key(), StandardCharsets.UTF_8);
            events.collect(Tuple2.of(leadId, record.value()));
        }

        @Override
        public TypeInformation<Tuple2<String, byte[]>> getProducedType() {
            return KEYED;
        }
    }

    private static final class Changes
            implements KafkaRecordSerializationSchema<Tuple2<String, byte[]>> {
        private final Job job;

        Changes(Job job) {
            this.job = job;
        }

        @Override
        public ProducerRecord<byte[], byte[]> serialize(
                Tuple2<String, byte[]> change, KafkaSinkContext context, Long timestampMs) {
            return new ProducerRecord<>(
                    job.output, change.f0.getBytes(StandardCharsets.UTF_8), change.f1);
        }
    }

    private static final class Fold
            extends KeyedProcessFunction<
                    String, Tuple2<String, byte[]>, Tuple2<String, byte[]>> {
        private final Job job;
        private transient Event event;
        private transient ValueState<byte[]> state;

        Fold(Job job) {
            this.job = job;
        }

        @Override
        public void open(OpenContext context) {
            event = new Event(job);
            state = getRuntimeContext()
                    .getState(new ValueStateDescriptor<>(
                            "lead", PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO));
        }

        @Override
        public void processElement(
                Tuple2<String, byte[]> sent,
                Context context,
                Collector<Tuple2<String, byte[]>> changes)
                throws Exception {
            FOLDED.incrementAndGet();
            event.read(sent.f1);
            byte[] bytes = state.value();
            Lead lead = bytes == null ? Lead.at(event.occurredAtMs) : Lead.ofBytes(bytes);
            int before = lead.tier;
            if (!lead.fold(event)) {
                return;
            }
            state.update(lead.toBytes());
            if (lead.tier != before) {
                changes.collect(Tuple2.of(event.leadId, lead.change(event, before)));
            }
        }
    }
}
