import { pipelineSpecs } from '../../etl/pipelines';
import { pipelines } from '../../etl/window';
import { ticketPipeline } from './tickets';

/*
 * Adds the pipeline `tickets` to the program, for one test file. The test file must import this module first: when
 * `etl/splice` is loaded, it compiles code for the pipelines that exist at that time.
 */
(pipelines as unknown as string[]).push('tickets');
Object.assign(pipelineSpecs, { tickets: ticketPipeline });
