import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    pool: "threads",
    maxWorkers: 2,
    isolate: false,
    environment: "node",
    include: ["*/src/**/*.test.ts"],
  },
});
