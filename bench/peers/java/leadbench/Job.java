package leadbench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a peer is told: a file of JSON, named on the command line. */
final class Job implements Serializable {
    final String kafka;
    final String group;
    final String output;
    final String folder;
    final int partitions;
    /** How many there are; 0: more will come. */
    final long records;
    final List<String> topics = new ArrayList<>();
    /** What an event counts, by the id in the head of its value. */
    final Map<Integer, Double> weights = new HashMap<>();
    /** As JSON, by the same id. */
    final Map<Integer, String> schemas = new HashMap<>();

    private Job(JsonNode content) {
        kafka = content.get("kafka").asText();
        group = content.get("group").asText();
        output = content.get("output").asText();
        folder = content.get("folder").asText();
        partitions = content.get("partitions").asInt();
        records = content.get("records").asLong();
        content.get("topics").forEach(each -> topics.add(each.asText()));
        content.get("weights").fields().forEachRemaining(
                each -> weights.put(Integer.valueOf(each.getKey()), each.getValue().asDouble()));
        content.get("schemas").fields().forEachRemaining(
                each -> schemas.put(Integer.valueOf(each.getKey()), each.getValue().toString()));
    }

    /** Reads the file; from now on, the program ends with its standard input. */
    static Job read(String file) throws IOException {
        Thread parent = new Thread(Job::endWithStdin, "parent");
        parent.setDaemon(true);
        parent.start();
        return new Job(new ObjectMapper().readTree(new File(file)));
    }

    private static void endWithStdin() {
        try {
            while (System.in.read() >= 0) {}
        } catch (IOException error) {
            // It is gone as well.
        }
        Runtime.getRuntime().halt(0);
    }
}
