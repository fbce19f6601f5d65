import { expect, test } from "vitest";
import { hadoopConfiguration, hadoopEnvironment } from "../../../components/hadoop/index.ts";

test("properties become XML, whatever is in them", () => {
  expect(hadoopConfiguration({ "a.number": 1, "a.switch": false, "a.text": "x < y && z > \"'" })).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <property><name>a.number</name><value>1</value></property>
  <property><name>a.switch</name><value>false</value></property>
  <property><name>a.text</name><value>x &lt; y &amp;&amp; z &gt; "'</value></property>
</configuration>
`,
  );
});

test("Java's home is where an absolute java is; a mere name says nothing about it", () => {
  expect(hadoopEnvironment("hdfs", "/opt/jdk/bin/java")).toEqual({ HADOOP_USER_NAME: "hdfs", JAVA_HOME: "/opt/jdk" });
  expect(hadoopEnvironment("hdfs", "java")).toEqual({ HADOOP_USER_NAME: "hdfs" });
});
