import { pipelineSpecs } from '../../etl/pipelines';
import { pipelines } from '../../etl/window';
import { ticketPipeline } from './tickets';

/*
 * Adds the pipeline `tickets` to the program, for a single test file. The test file must import this module first, as
 * the splice compiles the walks of all pipelines when it is loaded, and would not know this one.
 */
(pipelines as unknown as string[]).push('tickets');
Object.assign(pipelineSpecs, { tickets: ticketPipeline });
