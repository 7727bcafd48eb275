/** The part of parquetjs-lite that is used here: its writer. Its reader is wrong on files of most other writers. */
declare module 'parquetjs-lite' {
  export interface FieldDefinition {
    readonly type: 'UTF8' | 'FLOAT' | 'DOUBLE' | 'INT32' | 'INT64' | 'BOOLEAN';
    readonly optional?: boolean;
    /** A list, which is never null. */
    readonly repeated?: boolean;
    readonly compression?: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP';
  }

  export interface ParquetSchema {
    readonly fields: Readonly<Record<string, unknown>>;
  }

  export interface ParquetWriter {
    /** Throws strings, not Errors. INT64 must be below 2^53. */
    appendRow(
      row: Readonly<
        Record<string, string | number | boolean | readonly number[] | readonly string[] | undefined>
      >,
    ): Promise<void>;
    /** A text of the file's footer. */
    setMetadata(key: string, value: string): void;
    close(): Promise<void>;
  }

  const parquet: {
    readonly ParquetSchema: new (fields: Readonly<Record<string, FieldDefinition>>) => ParquetSchema;
    readonly ParquetWriter: { openFile(schema: ParquetSchema, path: string): Promise<ParquetWriter> };
  };
  export default parquet;
}
