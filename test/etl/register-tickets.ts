import { pipelineSpecs } from '../../etl/pipelines';
import { pipelines } from '../../etl/window';
import { ticketPipeline } from './tickets';

/*
 * Adds the pipeline `tickets` to the program, for one test file. That file must import this module before anything
 * else, as the splice compiles the walks of all pipelines when it is loaded.
 */
(pipelines as unknown as string[]).push('tickets');
Object.assign(pipelineSpecs, { tickets: ticketPipeline });
