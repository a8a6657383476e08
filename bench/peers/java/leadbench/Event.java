package leadbench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/** The event that was read last; its objects are used again for the next. */
final class Event {
    String leadId;
    String eventId;
    long occurredAtMs;
    double weight;

    private static final int HEAD_BYTES = 5;

    private static final class Reader {
        final GenericDatumReader<GenericRecord> reader;
        final int leadId;
        final int eventId;
        final int occurredAt;
        final double weight;
        GenericRecord reused;

        Reader(String json, double weight) {
            this.weight = weight;
            Schema schema = new Schema.Parser().parse(json);
            reader = new GenericDatumReader<>(schema);
            leadId = schema.getField("lead_id").pos();
            eventId = schema.getField("event_id").pos();
            occurredAt = schema.getField("occurred_at").pos();
        }
    }

    private final Map<Integer, Reader> readers = new HashMap<>();
    private BinaryDecoder decoder;

    Event(Job job) {
        job.schemas.forEach(
                (id, json) -> readers.put(id, new Reader(json, job.weights.get(id))));
    }

    void read(byte[] value) {
        Reader reader = readers.get(ByteBuffer.wrap(value, 1, 4).getInt());
        decoder = DecoderFactory.get()
                .binaryDecoder(value, HEAD_BYTES, value.length - HEAD_BYTES, decoder);
        try {
            reader.reused = reader.reader.read(reader.reused, decoder);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        leadId = reader.reused.get(reader.leadId).toString();
        eventId = reader.reused.get(reader.eventId).toString();
        weight = reader.weight;
        occurredAtMs = (Long) reader.reused.get(reader.occurredAt);
    }
}
